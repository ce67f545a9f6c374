# space: what is dead does not stay on the disk. A part of make check-long; check_space alone is a short run.
N_KEYS = 5000000
if !TSAN
EXTRA_PROGRAMS += check_space
endif
CLEANFILES += check_space$(EXEEXT)
check_space_SOURCES = %D%/check_space.c %D%/space_load.c %D%/space_load.h $(SYSTEM_SUPPORT)
check_space_CFLAGS = $(SYSTEM_CFLAGS)
check_space_LDADD = $(SYSTEM_LDADD)

check-long: check-long-space
check-long-space: check_space$(EXEEXT) rackkvd$(EXEEXT) rackkvctl$(EXEEXT)
	N_KEYS=$(N_KEYS) ./check_space$(EXEEXT)
