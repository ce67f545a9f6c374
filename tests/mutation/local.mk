# Small mistakes, one at a time, and whether the tests notice: on demand, no part of make check but for the test of the
# mutator itself. make mutation N=100 ONLY=src/log SEED=1
EXTRA_DIST += %D%/mutants.py %D%/mutation.py %D%/reviewed.txt %D%/sample.c %D%/sample.h
dist_check_SCRIPTS += %D%/check_mutation.py

N = 100
ONLY = src
SEED = 1
mutation_script = $(srcdir)/%D%/mutation.py

mutation:
	python3 $(mutation_script) --number $(N) --only $(ONLY) --seed $(SEED) $(MUTATION_FLAGS)
