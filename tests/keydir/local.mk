# tests of src/keydir
check_PROGRAMS += check_keydir check_keydir_bulk keydir_torture
check_keydir_SOURCES = %D%/check_keydir.c %D%/keydir_bed.c %D%/keydir_bed.h
check_keydir_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_keydir_LDADD = librk_test.a librk_keydir_writer.a librk_keydir.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS)
check_keydir_bulk_SOURCES = %D%/check_keydir_bulk.c %D%/keydir_bed.c %D%/keydir_bed.h
check_keydir_bulk_CFLAGS = $(check_keydir_CFLAGS)
check_keydir_bulk_LDADD = $(check_keydir_LDADD)

# Two seconds of each form in make check; make torture TIME=600 for longer ones.
keydir_torture_SOURCES = %D%/keydir_torture.c %D%/torture.h %D%/torture_reader.c %D%/torture_writer.c
keydir_torture_CFLAGS = $(AM_CFLAGS) $(URCU_CFLAGS)
keydir_torture_LDADD = librk_keydir_writer.a librk_keydir.a librk_grace_writer.a librk_grace.a librk_base.a \
	$(URCU_LIBS) $(SODIUM_LIBS)

TIME = 60
torture: keydir_torture
	./keydir_torture $(TIME)
