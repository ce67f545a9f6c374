# tests of src/client
check_PROGRAMS += check_client
check_client_SOURCES = %D%/check_client.c
check_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_client_LDADD = librk_test.a librk_client.a librk_base.a $(rk_client_libs) $(CHECK_LIBS)

check_PROGRAMS += check_client_item
check_client_item_SOURCES = %D%/check_client_item.c
check_client_item_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_client_item_LDADD = librk_test.a librk_client.a librk_base.a $(rk_client_libs) $(CHECK_LIBS)

RACKKV_BED = %D%/rackkv_bed.c %D%/rackkv_bed.h %D%/fake_server.c %D%/fake_server.h
RACKKV_CPPFLAGS = $(AM_CPPFLAGS) -DTOP_BUILDDIR='"$(abs_top_builddir)"'
RACKKV_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
RACKKV_LDADD = librk_test.a librk_base.a $(CHECK_LIBS)

check_PROGRAMS += check_rackkv
check_rackkv_SOURCES = %D%/check_rackkv.c $(RACKKV_BED)
check_rackkv_CPPFLAGS = $(RACKKV_CPPFLAGS)
check_rackkv_CFLAGS = $(RACKKV_CFLAGS)
check_rackkv_LDADD = $(RACKKV_LDADD)
check_rackkv_DEPENDENCIES = rackkv$(EXEEXT) librk_test.a librk_base.a

check_PROGRAMS += check_rackkv_answers
check_rackkv_answers_SOURCES = %D%/check_rackkv_answers.c $(RACKKV_BED)
check_rackkv_answers_CPPFLAGS = $(RACKKV_CPPFLAGS)
check_rackkv_answers_CFLAGS = $(RACKKV_CFLAGS)
check_rackkv_answers_LDADD = $(RACKKV_LDADD)
check_rackkv_answers_DEPENDENCIES = rackkv$(EXEEXT) librk_test.a librk_base.a

check_PROGRAMS += check_rackkv_shell
check_rackkv_shell_SOURCES = %D%/check_rackkv_shell.c $(RACKKV_BED)
check_rackkv_shell_CPPFLAGS = $(RACKKV_CPPFLAGS)
check_rackkv_shell_CFLAGS = $(RACKKV_CFLAGS)
check_rackkv_shell_LDADD = $(RACKKV_LDADD)
check_rackkv_shell_DEPENDENCIES = rackkv$(EXEEXT) librk_test.a librk_base.a

check_PROGRAMS += check_rackkv_options
check_rackkv_options_SOURCES = %D%/check_rackkv_options.c $(RACKKV_BED)
check_rackkv_options_CPPFLAGS = $(RACKKV_CPPFLAGS)
check_rackkv_options_CFLAGS = $(RACKKV_CFLAGS)
check_rackkv_options_LDADD = $(RACKKV_LDADD)
check_rackkv_options_DEPENDENCIES = rackkv$(EXEEXT) librk_test.a librk_base.a

check_PROGRAMS += check_rackkv_many
check_rackkv_many_SOURCES = %D%/check_rackkv_many.c $(RACKKV_BED)
check_rackkv_many_CPPFLAGS = $(RACKKV_CPPFLAGS)
check_rackkv_many_CFLAGS = $(RACKKV_CFLAGS)
check_rackkv_many_LDADD = $(RACKKV_LDADD)
check_rackkv_many_DEPENDENCIES = rackkv$(EXEEXT) librk_test.a librk_base.a

check_PROGRAMS += check_rackkv_usage
check_rackkv_usage_SOURCES = %D%/check_rackkv_usage.c $(RACKKV_BED)
check_rackkv_usage_CPPFLAGS = $(RACKKV_CPPFLAGS)
check_rackkv_usage_CFLAGS = $(RACKKV_CFLAGS)
check_rackkv_usage_LDADD = $(RACKKV_LDADD)
check_rackkv_usage_DEPENDENCIES = rackkv$(EXEEXT) librk_test.a librk_base.a

check_PROGRAMS += check_rackkv_shell_options
check_rackkv_shell_options_SOURCES = %D%/check_rackkv_shell_options.c $(RACKKV_BED)
check_rackkv_shell_options_CPPFLAGS = $(RACKKV_CPPFLAGS)
check_rackkv_shell_options_CFLAGS = $(RACKKV_CFLAGS)
check_rackkv_shell_options_LDADD = $(RACKKV_LDADD)
check_rackkv_shell_options_DEPENDENCIES = rackkv$(EXEEXT) librk_test.a librk_base.a

dist_check_SCRIPTS += %D%/check_rackkv_texts.sh

check_PROGRAMS += check_client_figures
check_client_figures_SOURCES = %D%/check_client_figures.c
check_client_figures_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_client_figures_LDADD = librk_test.a librk_client.a librk_base.a $(CHECK_LIBS)
