/*
 * file.h - files that survive a power cut.
 *
 * A replace is: temporary file beside it, write, fsync, rename, fsync of the folder.  Readers see
 * the old content or the new one.  An append is one write and one fdatasync; a cut leaves a prefix
 * of it, so the format of an appended file must tell a torn last record by itself.
 */
#ifndef MUE_HOST_FILE_H
#define MUE_HOST_FILE_H

#include "host/buf.h"
#include "host/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Appends the whole file to `ret`; its ceiling holds: MUE_ESIZE.  MUE_ENOTFOUND when not there. */
int mue_file_read(const char *path, struct mue_buf *ret, struct mue_error *e);

/* Replaces (or creates with `mode`) the file; durable when it returns 0. */
int mue_file_write(const char *path, const void *data, size_t len, mode_t mode,
		   struct mue_error *e);

/* As mue_file_write, but MUE_EEXIST when something is there already. */
int mue_file_create(const char *path, const void *data, size_t len, mode_t mode,
		    struct mue_error *e);

/* Renames and makes it durable; both paths are in one file system. */
int mue_file_rename(const char *from, const char *to, struct mue_error *e);

/* Removes and makes that durable; 0 when nothing was there. */
int mue_file_remove(const char *path, struct mue_error *e);

/* Creates the folder and its parents; 0 when it is there. */
int mue_file_mkdirs(const char *path, mode_t mode, struct mue_error *e);

/* fsync of the folder that holds `path`. */
int mue_file_sync_dir(const char *path, struct mue_error *e);

bool mue_file_exists(const char *path);

/* Opens for appending, creates with `mode`, makes the new name durable.  Returns the descriptor
 * (>= 0, close-on-exec, the caller closes it) or a verdict. */
int mue_file_append_open(const char *path, mode_t mode, struct mue_error *e);

/* One record, durable when it returns 0. */
int mue_file_append(int fd, const void *data, size_t len, struct mue_error *e);

/* Takes the exclusive lock (flock) of an open file without waiting; MUE_EBUSY: another has it.
 * Released by close or by the process's end. */
int mue_file_lock(int fd, struct mue_error *e);

/* write/pread until all is done, EINTR included.  MUE_EIO..., MUE_ETRUNC when the file ends. */
int mue_fd_write(int fd, const void *data, size_t len, struct mue_error *e);
int mue_fd_pread(int fd, uint64_t off, void *buf, size_t len, struct mue_error *e);

/* For __attribute__((cleanup(mue_fd_close))) on an int that is -1 or an open descriptor. */
void mue_fd_close(int *fd);

#endif
