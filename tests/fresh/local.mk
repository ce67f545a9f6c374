# quickstart with stand-ins for what it calls; and README's two commands on a bare Debian 12, which is part of make check-long,
# not of make check: it needs root, debootstrap and apt's network.
dist_check_SCRIPTS += %D%/check_quickstart.sh
EXTRA_DIST += %D%/check_fresh.sh
fresh_script = $(srcdir)/%D%/check_fresh.sh

# RK_FRESH_CHECK="TESTS=check_base" for fewer tests inside.
check-long: check-long-fresh
check-long-fresh:
	srcdir=$(srcdir) $(fresh_script)
