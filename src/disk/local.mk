# disk: the bytes on disk, and everything that only reads them, for every process
noinst_LIBRARIES += librk_disk.a
librk_disk_a_SOURCES = \
	%D%/disk_file.c %D%/disk_file.h \
	%D%/disk_hint.c %D%/disk_hint.h \
	%D%/disk_hole.c %D%/disk_hole.h \
	%D%/disk_identity.c %D%/disk_identity.h \
	%D%/disk_keys.c %D%/disk_keys.h \
	%D%/disk_keys_block.c %D%/disk_keys_block.h \
	%D%/disk_location.c %D%/disk_location.h \
	%D%/disk_manifest.c %D%/disk_manifest.h \
	%D%/disk_record.c %D%/disk_record.h \
	%D%/disk_scan.c %D%/disk_scan.h %D%/disk_scan_private.h \
	%D%/disk_scan_end.c \
	%D%/disk_scan_record.c \
	%D%/disk_secret.c %D%/disk_secret.h \
	%D%/disk_summary.c %D%/disk_summary.h \
	%D%/disk_small_file.c %D%/disk_small_file.h \
	%D%/disk_window.c %D%/disk_window.h
librk_disk_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_DISK_LIBS = librk_disk.a librk_base.a
