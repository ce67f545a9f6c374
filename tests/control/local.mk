# tests of src/control
check_PROGRAMS += check_control_server
check_control_server_SOURCES = %D%/check_control_server.c
check_control_server_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_control_server_LDADD = librk_test.a librk_control.a librk_base.a $(CHECK_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += check_control_verbs
check_control_verbs_SOURCES = %D%/check_control_verbs.c
check_control_verbs_CPPFLAGS = $(AM_CPPFLAGS) -DTOP_SRCDIR='"$(abs_top_srcdir)"'
check_control_verbs_CFLAGS = $(check_control_server_CFLAGS)
check_control_verbs_LDADD = librk_test.a librk_control.a librk_stats.a $(RK_COMPACTOR_LIBS) \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS) $(JANSSON_LIBS)
