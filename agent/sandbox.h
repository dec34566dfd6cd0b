/*
 * sandbox.h - what each process of the agent gives up before it reads a byte from the network.
 *
 * `fetch` loses: root (a given user), new privileges, every system call that a network client does
 * not need (seccomp, list in sandbox.c), and, where the kernel has Landlock, every write outside
 * its spool.  `install` loses: sockets other than AF_UNIX, and, as root, the network itself (an
 * empty network namespace).
 */
#ifndef MUE_AGENT_SANDBOX_H
#define MUE_AGENT_SANDBOX_H

#include "host/err.h"

#include <sys/types.h>

struct mue_sandbox_user {
	uid_t uid;
	gid_t gid;
};

/* Looks a user up.  MUE_ENOTFOUND. */
int mue_sandbox_user(const char *name, struct mue_sandbox_user *ret, struct mue_error *e);

/*
 * Confines the calling process to fetching.  As root it becomes `user` first.  `writable` are
 * folders ended by NULL.  What could not be had from the kernel (no Landlock, no seccomp) is an
 * error except Landlock, whose absence is logged.
 */
int mue_sandbox_fetch(const struct mue_sandbox_user *user, const char *const *writable,
		      struct mue_error *e);

/* Confines the calling process to installing.  Children inherit it. */
int mue_sandbox_install(struct mue_error *e);

/* Puts a file's content where a confined process can read it under a new name: a sealed memory
 * file, "/proc/self/fd/N" in ret (at least 32 bytes).  The descriptor stays open. */
int mue_sandbox_credential(const char *path, char *ret, size_t ret_size, struct mue_error *e);

#endif
