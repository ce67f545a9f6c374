# make bench-list: pages and streams of a server of its own; RK_LIST_KEYS for another number of keys
EXTRA_DIST += %D%/list_bench.py
.PHONY: bench-list
bench-list: rackkvd$(EXEEXT)
	folder=$$(mktemp -d) && python3 $(srcdir)/%D%/list_bench.py ./rackkvd "$$folder" $(RK_LIST_KEYS); rm -rf "$$folder"
