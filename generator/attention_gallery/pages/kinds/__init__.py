"""One module for each kind of page: when it is made anew, and what its template gets."""
