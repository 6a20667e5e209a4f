"""From the gallery's values to planned pages, each with its address and the digest of its inputs.

routes        the only maker of addresses
contexts      what each kind of page hands to its template
gallery       the whole gallery as page makers see it
site          every page of the site, in the order in which they are made
home, model, model_head, sentence, explorer, download, head, note, extras   one module for each kind of page
"""
