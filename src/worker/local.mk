# worker: the process that serves
noinst_LIBRARIES += librk_worker.a
librk_worker_a_SOURCES = \
	%D%/worker.c %D%/worker.h \
	%D%/worker_backend.c %D%/worker_backend.h \
	%D%/worker_descriptors.c %D%/worker_descriptors.h \
	%D%/worker_main.c \
	%D%/worker_memory.c %D%/worker_memory.h \
	%D%/worker_takeover.c %D%/worker_takeover.h
