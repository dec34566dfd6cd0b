#include "agent/installers/installer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A new member: its file, one line here. */
const struct mue_installer_ops *const mue_installers[] = {
	&mue_installer_image,
	&mue_installer_block,
	NULL,
};

int mue_installer_init(struct mue_installer *i, const char *path, uint64_t limit,
		       struct mue_error *e)
{
	struct stat st;

	memset(i, 0, sizeof(*i));
	i->fd = i->direct = -1;
	i->limit = limit;
	if (strlen(path) >= sizeof(i->path))
		return mue_fail(e, MUE_EINVAL, "%s: the path is too long", path);
	snprintf(i->path, sizeof(i->path), "%s", path);
	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return mue_fail_errno(e, "%s", path);
		st.st_mode = S_IFREG;
	}
	if (S_ISBLK(st.st_mode))
		i->ops = &mue_installer_block;
	else if (S_ISREG(st.st_mode))
		i->ops = &mue_installer_image;
	else
		return mue_fail(e, MUE_EPROFILE, "%s: neither a block device nor a file", path);
	return 0;
}

bool mue_installer_same(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) < 0 || stat(b, &y) < 0)
		return strcmp(a, b) == 0;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
