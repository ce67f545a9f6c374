# make list-bench: pages and streams of a server of its own; RK_LIST_KEYS for another number of keys
EXTRA_DIST += %D%/list_bench.py
.PHONY: list-bench
list-bench: rackkvd$(EXEEXT)
	folder=$$(mktemp -d) && python3 $(srcdir)/%D%/list_bench.py ./rackkvd "$$folder" $(RK_LIST_KEYS); rm -rf "$$folder"
