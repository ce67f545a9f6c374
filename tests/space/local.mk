# space: what is dead does not stay on the disk. 100,000 keys in each run without a sanitizer, for which it is too much
# traffic; five millions in make check-long.
N_KEYS = 5000000
if !TSAN
if ASAN
EXTRA_PROGRAMS += check_space
else
check_PROGRAMS += check_space
endif
endif
CLEANFILES += check_space$(EXEEXT)
check_space_SOURCES = %D%/check_space.c %D%/space_load.c %D%/space_load.h $(SYSTEM_SUPPORT)
check_space_CFLAGS = $(SYSTEM_CFLAGS)
check_space_LDADD = $(SYSTEM_LDADD)

check-long: check-long-space
check-long-space: check_space$(EXEEXT) rackkvd$(EXEEXT) rackkvctl$(EXEEXT)
	N_KEYS=$(N_KEYS) ./check_space$(EXEEXT)
