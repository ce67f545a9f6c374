# grace: grace periods across processes
noinst_LIBRARIES += librk_grace.a librk_grace_writer.a
librk_grace_a_SOURCES = \
	%D%/grace.h \
	%D%/grace_agent.c \
	%D%/grace_futex.c %D%/grace_futex.h \
	%D%/grace_region.h \
	%D%/grace_standin.c %D%/grace_standin.h
librk_grace_a_CFLAGS = $(AM_CFLAGS) $(URCU_CFLAGS)
librk_grace_writer_a_SOURCES = %D%/grace_writer.c %D%/grace_writer.h
EXTRA_DIST += %D%/README
