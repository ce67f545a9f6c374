# clients: for other languages, each in a file that is copied beside a program
pythonclientdir = $(pkgdatadir)/python
dist_pythonclient_DATA = %D%/python/rackkv.py
EXTRA_DIST += %D%/python/test_rackkv.py
