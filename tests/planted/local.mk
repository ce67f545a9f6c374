# Shows that the tests notice planted bugs. Builds the tree once, and what a bug touches for each: part of make check-long, not of make check.
EXTRA_DIST += %D%/check_planted.sh
dist_check_SCRIPTS += %D%/check_promises.sh
planted_script = $(srcdir)/%D%/check_planted.sh

check-long: check-long-planted
check-long-planted:
	srcdir=$(srcdir) $(planted_script)
