# shm: regions and the handover between processes
noinst_LIBRARIES += librk_shm.a
librk_shm_a_SOURCES = \
	%D%/shm_descriptors.c %D%/shm_descriptors.h \
	%D%/shm_doorbell.c %D%/shm_doorbell.h \
	%D%/shm_handover.c %D%/shm_handover.h \
	%D%/shm_region.c %D%/shm_region.h
