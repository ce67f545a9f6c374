# writer: the writer thread
noinst_LIBRARIES += librk_writer.a
librk_writer_a_SOURCES = \
	%D%/writer.c %D%/writer.h \
	%D%/writer_batch.c %D%/writer_batch.h \
	%D%/writer_batch_commit.c %D%/writer_batch_private.h \
	%D%/writer_calls.c %D%/writer_calls.h \
	%D%/writer_figures.c %D%/writer_figures.h \
	%D%/writer_pending.c %D%/writer_pending.h \
	%D%/writer_request.c %D%/writer_request.h \
	%D%/writer_rings.c %D%/writer_rings.h \
	%D%/writer_source.h
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_WRITER_LIBS = librk_writer.a librk_space.a $(RK_LOG_LIBS) $(RK_KEYDIR_LIBS) librk_ring.a librk_shm.a librk_base.a
