# space: live and dead bytes of each data file
noinst_LIBRARIES += librk_space.a
librk_space_a_SOURCES = \
	%D%/space.c %D%/space.h \
	%D%/space_entry.c %D%/space_entry.h \
	%D%/space_moves.c %D%/space_moves.h
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_SPACE_LIBS = librk_space.a $(RK_KEYDIR_LIBS) $(RK_DISK_LIBS)
