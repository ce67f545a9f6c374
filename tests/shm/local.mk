# tests of src/shm
check_PROGRAMS += check_shm
check_shm_SOURCES = %D%/check_shm.c
check_shm_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_shm_LDADD = librk_test.a librk_shm.a librk_base.a $(CHECK_LIBS)
check_PROGRAMS += check_shm_descriptors
check_shm_descriptors_SOURCES = %D%/check_shm_descriptors.c
check_shm_descriptors_CFLAGS = $(check_shm_CFLAGS)
check_shm_descriptors_LDADD = $(check_shm_LDADD)
