# tests of src/recover
check_PROGRAMS += check_recover
check_recover_SOURCES = %D%/check_recover.c %D%/recover_bed.c %D%/recover_bed.h
check_recover_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_recover_LDADD = librk_test.a $(RK_RECOVER_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
check_PROGRAMS += check_recover_plan
check_recover_plan_SOURCES = %D%/check_recover_plan.c %D%/recover_bed.c %D%/recover_bed.h
check_recover_plan_CFLAGS = $(check_recover_CFLAGS)
check_recover_plan_LDADD = $(check_recover_LDADD)
check_PROGRAMS += check_recover_model
check_recover_model_SOURCES = %D%/check_recover_model.c
check_recover_model_CFLAGS = $(check_recover_CFLAGS)
check_recover_model_LDADD = $(check_recover_LDADD)
# One thread, thousands of stores: nothing for the thread sanitizer.
if !TSAN
check_PROGRAMS += check_recover_faults
endif
check_recover_faults_SOURCES = %D%/check_recover_faults.c
check_recover_faults_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_recover_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray -Wl,--wrap=posix_memalign
check_recover_faults_LDADD = librk_test.a librk_recover.a $(RK_WRITER_LIBS) \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
