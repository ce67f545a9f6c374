# expire: what has expired
noinst_LIBRARIES += librk_expire.a
librk_expire_a_SOURCES = \
	%D%/expire.c %D%/expire.h \
	%D%/expire_clock.c %D%/expire_clock.h
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_EXPIRE_LIBS = librk_expire.a librk_space.a $(RK_LOG_LIBS) $(RK_KEYDIR_LIBS)
