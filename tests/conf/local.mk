# tests of src/conf
check_PROGRAMS += check_conf
check_conf_SOURCES = %D%/check_conf.c %D%/fuzz_conf.c %D%/fuzz_conf.h
check_conf_CPPFLAGS = $(AM_CPPFLAGS) -DTOP_SRCDIR='"$(abs_top_srcdir)"'
check_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_conf_LDADD = librk_test.a librk_conf.a librk_base.a $(CHECK_LIBS) $(YAML_LIBS)
