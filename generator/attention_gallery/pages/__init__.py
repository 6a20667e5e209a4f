"""From the gallery's values to planned pages, each with its address and the digest of its inputs.

plan          every page of the site, in the order in which they are made
gallery       the whole gallery as makers of pages see it
frame         what stands around every page
kinds         one module for each kind of page
readers       captures and models as pages ask for them
sections      what several kinds of page show
contexts      what templates get
downloads     files of numbers
"""
