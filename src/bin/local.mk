# bin: the programs
sbin_PROGRAMS += rackkvd
rackkvd_SOURCES = %D%/rackkvd.c
rackkvd_LDADD = librk_base.a
