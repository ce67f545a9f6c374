# keydir: fingerprint -> location. A worker links librk_keydir.a alone.
noinst_LIBRARIES += librk_keydir.a librk_keydir_writer.a
librk_keydir_a_SOURCES = \
	%D%/keydir.c %D%/keydir.h \
	%D%/keydir_check.c %D%/keydir_check.h \
	%D%/keydir_layout.h
librk_keydir_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
librk_keydir_writer_a_SOURCES = \
	%D%/keydir_bulk_writer.c %D%/keydir_bulk_writer.h \
	%D%/keydir_check_writer.c %D%/keydir_check_writer.h \
	%D%/keydir_extents.c %D%/keydir_extents.h \
	%D%/keydir_page.c %D%/keydir_page.h \
	%D%/keydir_resize.c %D%/keydir_resize.h \
	%D%/keydir_waiting.c %D%/keydir_waiting.h \
	%D%/keydir_writer.c %D%/keydir_writer.h
EXTRA_DIST += %D%/README
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_KEYDIR_LIBS = librk_keydir_writer.a librk_keydir.a librk_grace_writer.a librk_grace.a librk_base.a
