# tests of src/keydir
check_PROGRAMS += check_keydir
check_keydir_SOURCES = %D%/check_keydir.c %D%/keydir_bed.c %D%/keydir_bed.h
check_keydir_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_keydir_LDADD = librk_test.a librk_keydir_writer.a librk_keydir.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS)
