#include "host/flash_file.h"

#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE (2 * MUE_FLASH_FILE_BLOCK)

static int fd_of(const struct mue_flash *f)
{
	const struct mue_flash_file *ff = f->ctx;

	return ff->fd;
}

static int in_range(const struct mue_flash *f, uint32_t off, uint32_t len)
{
	return off <= f->size && len <= f->size - off;
}

static int file_read(const struct mue_flash *f, uint32_t off, void *buf, uint32_t len)
{
	if (!in_range(f, off, len) || mue_fd_pread(fd_of(f), off, buf, len, NULL) < 0)
		return MUE_EIO;
	return MUE_OK;
}

static int write_all(int fd, uint32_t off, const void *buf, uint32_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = pwrite(fd, p, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return MUE_EIO;
		p += n;
		off += (uint32_t)n;
		len -= (uint32_t)n;
	}
	return MUE_OK;
}

static int file_write(const struct mue_flash *f, uint32_t off, const void *buf, uint32_t len)
{
	int e;

	if (!in_range(f, off, len))
		return MUE_EIO;
	e = write_all(fd_of(f), off, buf, len);
	if (e < 0)
		return e;
	return fdatasync(fd_of(f)) < 0 ? MUE_EIO : MUE_OK;
}

static int file_erase(const struct mue_flash *f, uint32_t off)
{
	uint8_t blank[MUE_FLASH_FILE_BLOCK];

	if (off % MUE_FLASH_FILE_BLOCK)
		return MUE_EIO;
	memset(blank, f->erased, sizeof(blank));
	return file_write(f, off, blank, sizeof(blank));
}

static const struct mue_flash_ops file_ops = {
	.read = file_read,
	.write = file_write,
	.erase = file_erase,
};

/* A new file's name must survive a power cut as its bytes do. */
static int sync_folder(const char *path, struct mue_error *e)
{
	char copy[4096];
	int fd, r;

	if (strlen(path) >= sizeof(copy))
		return mue_fail(e, MUE_EINVAL, "%s: the path is too long", path);
	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mue_fail_errno(e, "%s: cannot open its folder", path);
	r = fsync(fd) < 0 ? mue_fail_errno(e, "%s: cannot sync its folder", path) : MUE_OK;
	close(fd);
	return r;
}

/* Extends a missing or short file; bytes that are there stay. */
static int fill_up(struct mue_flash_file *ff, const char *path, struct mue_error *e)
{
	uint8_t blank[SIZE];
	struct stat st;
	uint32_t have;

	if (fstat(ff->fd, &st) < 0)
		return mue_fail_errno(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return mue_fail(e, MUE_EINVAL, "%s: not a regular file", path);
	if (st.st_size >= SIZE)
		return MUE_OK;
	have = (uint32_t)st.st_size;
	memset(blank, 0xff, sizeof(blank));
	if (write_all(ff->fd, have, blank, SIZE - have) < 0 || fsync(ff->fd) < 0)
		return mue_fail_errno(e, "%s: cannot fill it", path);
	return sync_folder(path, e);
}

int mue_flash_file_open(struct mue_flash_file *ff, const char *path, struct mue_error *e)
{
	int r;

	ff->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (ff->fd < 0)
		return mue_fail_errno(e, "%s: cannot open the boot state", path);
	ff->flash = (struct mue_flash){
		.ops = &file_ops,
		.ctx = ff,
		.size = SIZE,
		.erase_size = MUE_FLASH_FILE_BLOCK,
		.write_size = 1,
		.erased = 0xff,
	};
	r = mue_flash_file_lock(ff, e);
	if (r == MUE_OK) {
		r = fill_up(ff, path, e);
		mue_flash_file_unlock(ff);
	}
	if (r < 0)
		mue_flash_file_close(ff);
	return r;
}

int mue_flash_file_lock(struct mue_flash_file *ff, struct mue_error *e)
{
	while (flock(ff->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return mue_fail_errno(e, "cannot lock the boot state");
	return MUE_OK;
}

void mue_flash_file_unlock(struct mue_flash_file *ff)
{
	flock(ff->fd, LOCK_UN);
}

void mue_flash_file_close(struct mue_flash_file *ff)
{
	if (ff->fd >= 0)
		close(ff->fd);
	ff->fd = -1;
}
