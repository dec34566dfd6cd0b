#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN 4096

void mue_fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

bool mue_file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int mue_fd_write(int fd, const void *data, size_t len, struct mue_error *e)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(write(fd, p, len));

		if (n < 0)
			return mue_fail_errno(e, "write");
		p += n;
		len -= (size_t)n;
	}
	return MUE_OK;
}

int mue_fd_pread(int fd, uint64_t off, void *buf, size_t len, struct mue_error *e)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pread(fd, p, len, (off_t)off));

		if (n < 0)
			return mue_fail_errno(e, "read");
		if (n == 0)
			return mue_fail(e, MUE_ETRUNC, "read: the file ends too early");
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return MUE_OK;
}

int mue_file_read(const char *path, struct mue_buf *ret, struct mue_error *e)
{
	__attribute__((cleanup(mue_fd_close))) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t chunk[4096];
	ssize_t n;
	int r;

	if (fd < 0)
		return mue_fail_errno(e, "%s", path);
	while ((n = TEMP_FAILURE_RETRY(read(fd, chunk, sizeof(chunk)))) > 0) {
		r = mue_buf_add(ret, chunk, (size_t)n);
		if (r < 0) {
			explicit_bzero(chunk, sizeof(chunk));
			return mue_fail(e, r, "%s: larger than %zu bytes", path, ret->max);
		}
	}
	explicit_bzero(chunk, sizeof(chunk)); /* it may have been a key */
	return n < 0 ? mue_fail_errno(e, "%s", path) : MUE_OK;
}

/* The folder of `path`: "." for a bare name. */
static int folder_of(const char *path, char ret[PATH_LEN], struct mue_error *e)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= PATH_LEN)
		return mue_fail(e, MUE_EINVAL, "%.80s...: path too long", path);
	if (!slash) {
		memcpy(ret, ".", 2);
		return MUE_OK;
	}
	memcpy(ret, len ? path : "/", len ? len : 1);
	ret[len ? len : 1] = 0;
	return MUE_OK;
}

int mue_file_sync_dir(const char *path, struct mue_error *e)
{
	__attribute__((cleanup(mue_fd_close))) int fd = -1;
	char folder[PATH_LEN];
	int r = folder_of(path, folder, e);

	if (r < 0)
		return r;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return mue_fail_errno(e, "%s", folder);
	return MUE_OK;
}

static int temp_path(const char *path, char ret[PATH_LEN], struct mue_error *e)
{
	int n = snprintf(ret, PATH_LEN, "%s.tmp.%ld", path, (long)gettid());

	if (n < 0 || n >= PATH_LEN)
		return mue_fail(e, MUE_EINVAL, "%.80s...: path too long", path);
	return MUE_OK;
}

static int write_temp(const char *temp, const void *data, size_t len, mode_t mode,
		      struct mue_error *e)
{
	__attribute__((cleanup(mue_fd_close))) int fd = -1;
	int r;

	unlink(temp); /* left by a thread of the same id that was cut */
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return mue_fail_errno(e, "%s", temp);
	r = mue_fd_write(fd, data, len, e);
	if (r == 0 && fsync(fd) < 0)
		r = mue_fail_errno(e, "fsync");
	if (r < 0 && e)
		mue_prefix(e, "%s", temp);
	return r;
}

/* Writes the temporary file, gives it its name with `place`, makes the name durable. */
static int put(const char *path, const void *data, size_t len, mode_t mode,
	       int (*place)(const char *temp, const char *path), struct mue_error *e)
{
	char temp[PATH_LEN];
	int r = temp_path(path, temp, e);

	if (r < 0)
		return r;
	r = write_temp(temp, data, len, mode, e);
	if (r == 0 && place(temp, path) < 0)
		r = mue_fail_errno(e, "%s", path);
	if (r < 0) {
		unlink(temp);
		return r;
	}
	return mue_file_sync_dir(path, e);
}

static int place_over(const char *temp, const char *path)
{
	return rename(temp, path);
}

static int place_new(const char *temp, const char *path)
{
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system without that flag. */
	if (link(temp, path) < 0)
		return -1;
	unlink(temp);
	return 0;
}

int mue_file_write(const char *path, const void *data, size_t len, mode_t mode, struct mue_error *e)
{
	return put(path, data, len, mode, place_over, e);
}

int mue_file_create(const char *path, const void *data, size_t len, mode_t mode,
		    struct mue_error *e)
{
	return put(path, data, len, mode, place_new, e);
}

int mue_file_rename(const char *from, const char *to, struct mue_error *e)
{
	if (rename(from, to) < 0)
		return mue_fail_errno(e, "%s -> %s", from, to);
	return mue_file_sync_dir(to, e);
}

int mue_file_remove(const char *path, struct mue_error *e)
{
	if (unlink(path) < 0) {
		if (errno == ENOENT)
			return MUE_OK;
		return mue_fail_errno(e, "%s", path);
	}
	return mue_file_sync_dir(path, e);
}

int mue_file_mkdirs(const char *path, mode_t mode, struct mue_error *e)
{
	char part[PATH_LEN];
	size_t len = strlen(path);
	struct stat st;

	if (len == 0 || len >= PATH_LEN)
		return mue_fail(e, MUE_EINVAL, "%.80s: no usable path", path);
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != 0)
			continue;
		part[i] = 0;
		if (mkdir(part, mode) == 0)
			mue_file_sync_dir(part, NULL);
		else if (errno != EEXIST)
			return mue_fail_errno(e, "%s", part);
		part[i] = path[i];
	}
	if (stat(path, &st) < 0)
		return mue_fail_errno(e, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return mue_fail(e, MUE_EEXIST, "%s: is there, but is no folder", path);
	return MUE_OK;
}

int mue_file_append_open(const char *path, mode_t mode, struct mue_error *e)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return mue_fail_errno(e, "%s", path);
	r = mue_file_sync_dir(path, e);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int mue_file_append(int fd, const void *data, size_t len, struct mue_error *e)
{
	int r = mue_fd_write(fd, data, len, e);

	if (r < 0)
		return r;
	if (fdatasync(fd) < 0)
		return mue_fail_errno(e, "fdatasync");
	return MUE_OK;
}

int mue_file_lock(int fd, struct mue_error *e)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return MUE_OK;
	if (errno == EWOULDBLOCK)
		return mue_fail(e, MUE_EBUSY, "another process has it");
	return mue_fail_errno(e, "lock");
}
