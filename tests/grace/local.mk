# tests of src/grace
check_PROGRAMS += check_grace check_grace_process
check_grace_SOURCES = %D%/check_grace.c %D%/test_grace.c %D%/test_grace.h
check_grace_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_grace_LDADD = librk_test.a librk_grace_writer.a librk_grace.a librk_base.a $(CHECK_LIBS) $(URCU_LIBS)
check_grace_process_SOURCES = %D%/check_grace_process.c %D%/test_grace.c %D%/test_grace.h
check_grace_process_CFLAGS = $(check_grace_CFLAGS)
check_grace_process_LDADD = $(check_grace_LDADD)

# The model of the protocol; the sanitizers have nothing to say about it.
EXTRA_DIST += %D%/model/grace.pml %D%/model/check_grace_model.sh
if !ASAN
if !TSAN
TESTS += %D%/model/check_grace_model.sh
endif
endif
