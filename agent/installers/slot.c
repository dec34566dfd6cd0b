/* The members `image` and `block`: a slot is a file or a device, written through the page cache
 * with write-out in the background, and read back past it. */
#include "agent/installers/installer.h"

#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void slot_close(struct mue_installer *i)
{
	mue_fd_close(&i->fd);
	mue_fd_close(&i->direct);
}

static int check_size(const struct mue_installer *i, uint64_t size, uint64_t place,
		      struct mue_error *e)
{
	if (i->limit && i->limit < place)
		place = i->limit;
	if (size > place)
		return mue_fail(e, MUE_ESIZE, "%s: the image has %llu bytes, the slot %llu",
				i->path, (unsigned long long)size, (unsigned long long)place);
	return 0;
}

/* A second descriptor that bypasses the cache; without one (tmpfs) reads go through the first. */
static void open_direct(struct mue_installer *i)
{
	i->direct = open(i->path, O_RDONLY | O_CLOEXEC | O_DIRECT);
}

static int image_open(struct mue_installer *i, uint64_t size, struct mue_error *e)
{
	struct stat st;
	int r = check_size(i, size, UINT64_MAX, e);

	if (r < 0)
		return r;
	slot_close(i);
	i->fd = open(i->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (i->fd < 0 || fstat(i->fd, &st) < 0) {
		r = mue_fail_errno(e, "%s", i->path);
		slot_close(i);
		return r;
	}
	/* Room now rather than an error in the middle; a file system without it may still do. */
	if ((uint64_t)st.st_size < size && fallocate(i->fd, 0, 0, (off_t)size) < 0 &&
	    (errno == ENOSPC || errno == EDQUOT || errno == EFBIG ||
	     ftruncate(i->fd, (off_t)size) < 0)) {
		r = mue_fail_errno(e, "%s: room for %llu bytes", i->path, (unsigned long long)size);
		slot_close(i);
		return r;
	}
	open_direct(i);
	return 0;
}

static int block_open(struct mue_installer *i, uint64_t size, struct mue_error *e)
{
	uint64_t place;
	int r;

	slot_close(i);
	/* O_EXCL on a device: refused while it is mounted or belongs to another. */
	i->fd = open(i->path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (i->fd < 0 && errno == EBUSY)
		return mue_fail(e, MUE_EBUSY, "%s: in use; remedy: unmount it", i->path);
	if (i->fd < 0 || ioctl(i->fd, BLKGETSIZE64, &place) < 0) {
		r = mue_fail_errno(e, "%s", i->path);
		slot_close(i);
		return r;
	}
	r = check_size(i, size, place, e);
	if (r < 0)
		slot_close(i);
	else
		open_direct(i);
	return r;
}

static int slot_write(struct mue_installer *i, uint64_t off, const void *data, size_t len,
		      struct mue_error *e)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(i->fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return mue_fail_errno(e, "%s at %llu", i->path, (unsigned long long)off);
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static void slot_push(struct mue_installer *i, uint64_t off, uint64_t len)
{
	/* Advice: what fails here is reported by sync. */
	(void)sync_file_range(i->fd, (off_t)off, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

static int slot_sync(struct mue_installer *i, struct mue_error *e)
{
	/* On a device this flushes the drive's cache too, which sync(2) does not. */
	if (fsync(i->fd) == 0)
		return 0;
	return mue_fail_errno(e, "%s: fsync", i->path);
}

static int slot_read(struct mue_installer *i, uint64_t off, void *buf, size_t len,
		     struct mue_error *e)
{
	size_t done = 0;
	ssize_t n;

	/* Past the cache where buffer and offset allow; such a read may give less than asked. */
	if (i->direct >= 0 && off % MUE_INSTALLER_ALIGN == 0 &&
	    (uintptr_t)buf % MUE_INSTALLER_ALIGN == 0 && len % MUE_INSTALLER_ALIGN == 0) {
		n = pread(i->direct, buf, len, (off_t)off);
		if (n < 0 && errno == EIO)
			return mue_fail_errno(e, "%s at %llu", i->path, (unsigned long long)off);
		done = n > 0 ? (size_t)n : 0;
		/* The cached copy has done its duty: its pages serve the next bytes, and a small
		 * machine's cache is not filled with an image that nobody reads. */
		(void)posix_fadvise(i->fd, (off_t)off, (off_t)done, POSIX_FADV_DONTNEED);
	}
	if (done == len)
		return 0;
	(void)posix_fadvise(i->fd, (off_t)(off + done), (off_t)(len - done), POSIX_FADV_DONTNEED);
	return mue_fd_pread(i->fd, off + done, (char *)buf + done, len - done, e);
}

const struct mue_installer_ops mue_installer_image = {
	.name = "image",
	.threads = true,
	.open = image_open,
	.write = slot_write,
	.push = slot_push,
	.sync = slot_sync,
	.read = slot_read,
	.close = slot_close,
};

const struct mue_installer_ops mue_installer_block = {
	.name = "block",
	.threads = true,
	.open = block_open,
	.write = slot_write,
	.push = slot_push,
	.sync = slot_sync,
	.read = slot_read,
	.close = slot_close,
};
