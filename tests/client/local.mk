# tests of src/client
check_PROGRAMS += check_client
check_client_SOURCES = %D%/check_client.c
check_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_client_LDADD = librk_test.a librk_client.a librk_base.a $(rk_client_libs) $(CHECK_LIBS)

check_PROGRAMS += check_rackkv
check_rackkv_SOURCES = %D%/check_rackkv.c %D%/fake_server.c %D%/fake_server.h
check_rackkv_CPPFLAGS = $(AM_CPPFLAGS) -DTOP_BUILDDIR='"$(abs_top_builddir)"'
check_rackkv_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_rackkv_LDADD = librk_test.a librk_base.a $(CHECK_LIBS)
check_rackkv_DEPENDENCIES = rackkv$(EXEEXT) librk_test.a librk_base.a

check_PROGRAMS += check_client_figures
check_client_figures_SOURCES = %D%/check_client_figures.c
check_client_figures_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_client_figures_LDADD = librk_test.a librk_client.a librk_base.a $(CHECK_LIBS)
