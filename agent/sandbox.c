#include "agent/sandbox.h"

#include "host/buf.h"
#include "host/file.h"
#include "host/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a client of HTTPS, DNS and PKCS#11 does.  Everything else fails with EPERM. */
/* clang-format off */
static const int fetch_calls[] = {
	/* descriptors and files */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
	SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	SCMP_SYS(fcntl), SCMP_SYS(ioctl), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(eventfd2),
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat), SCMP_SYS(flock), SCMP_SYS(umask), SCMP_SYS(fadvise64), SCMP_SYS(fchmod),
	/* network */
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(socketpair),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	/* memory, time, signals, threads of the resolver */
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
	SCMP_SYS(brk), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(futex), SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(membarrier), SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address),
	/* who and where am I */
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
	SCMP_SYS(getgroups), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage), SCMP_SYS(times),
};
/* clang-format on */

int mue_sandbox_user(const char *name, struct mue_sandbox_user *ret, struct mue_error *e)
{
	const struct passwd *p = getpwnam(name);

	if (!p)
		return mue_fail(e, MUE_ENOTFOUND,
				"user: %s is not known; remedy: create it, or name another", name);
	ret->uid = p->pw_uid;
	ret->gid = p->pw_gid;
	return 0;
}

/* A thread may be made, a process may not; glibc falls back from clone3 when it is not there. */
static int allow_threads(scmp_filter_ctx f)
{
	int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* Limits may be read, not set; signals only to oneself are of no harm: abort needs it. */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A2(SCMP_CMP_EQ, 0));
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* A thread's name. */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				     SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	return r;
}

static int load_filter(scmp_filter_ctx f, int r, struct mue_error *e)
{
	if (f && r == 0)
		r = seccomp_load(f);
	seccomp_release(f);
	if (!f || r < 0)
		return mue_fail(e, MUE_EPERM, "seccomp filter: %s",
				f ? strerror(-r) : "out of memory");
	return 0;
}

static int filter_fetch(struct mue_error *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = f ? allow_threads(f) : 0;

	for (size_t i = 0; f && r == 0 && i < sizeof(fetch_calls) / sizeof(fetch_calls[0]); i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, fetch_calls[i], 0);
	return load_filter(f, r, e);
}

/* --- Landlock: no libc wrappers in Debian 12 --- */

#define WRITES                                                           \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_EXECUTE)

static int allow_folder(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr a = { .allowed_access = WRITES &
								  ~LANDLOCK_ACCESS_FS_EXECUTE };
	__attribute__((cleanup(mue_fd_close))) int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -1;
	a.parent_fd = fd;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
}

/* A device that programs open for writing and that keeps nothing. */
static int allow_null(int ruleset)
{
	struct landlock_path_beneath_attr a = { .allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE };
	__attribute__((cleanup(mue_fd_close))) int fd = open("/dev/null", O_PATH | O_CLOEXEC);

	a.parent_fd = fd;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
}

static int landlock(const char *const *writable, struct mue_error *e)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = WRITES };
	__attribute__((cleanup(mue_fd_close))) int ruleset = (int)syscall(
		SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (ruleset < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
		mue_log(MUE_LOG_WARN, "sandbox.no-landlock", "remedy",
			"a kernel with CONFIG_SECURITY_LANDLOCK", NULL);
		return 0;
	}
	if (ruleset < 0)
		return mue_fail_errno(e, "landlock");
	for (; *writable; writable++)
		if (allow_folder(ruleset, *writable) < 0)
			return mue_fail_errno(e, "landlock: %s", *writable);
	if (allow_null(ruleset) < 0)
		return mue_fail_errno(e, "landlock: /dev/null");
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return mue_fail_errno(e, "landlock");
	return 0;
}

int mue_sandbox_fetch(const struct mue_sandbox_user *user, const char *const *writable,
		      struct mue_error *e)
{
	int r;

	if (geteuid() == 0 && user->uid != 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	     setresuid(user->uid, user->uid, user->uid) < 0))
		return mue_fail_errno(e, "becoming the unprivileged user");
	/* Ends with install.  After the change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return mue_fail(e, MUE_ELINK, "the install process is gone");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return mue_fail_errno(e, "no_new_privs");
	r = landlock(writable, e);
	return r < 0 ? r : filter_fetch(e);
}

int mue_sandbox_install(struct mue_error *e)
{
	static const int ways_round[] = { SCMP_SYS(io_uring_setup),    SCMP_SYS(ptrace),
					  SCMP_SYS(process_vm_writev), SCMP_SYS(setns),
					  SCMP_SYS(pidfd_getfd),       SCMP_SYS(bpf) };
	scmp_filter_ctx f;
	int r;

	if (geteuid() == 0 && unshare(CLONE_NEWNET) < 0 && errno != EPERM)
		return mue_fail_errno(e, "network namespace");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return mue_fail_errno(e, "no_new_privs");
	f = seccomp_init(SCMP_ACT_ALLOW);
	r = f ? seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				 SCMP_A0(SCMP_CMP_NE, AF_UNIX))
	      : 0;
	for (size_t i = 0; f && r == 0 && i < sizeof(ways_round) / sizeof(ways_round[0]); i++)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), ways_round[i], 0);
	return load_filter(f, r, e);
}

int mue_sandbox_credential(const char *path, char *ret, size_t ret_size, struct mue_error *e)
{
	struct mue_buf b = { .max = 256 * 1024 };
	int fd, r = mue_file_read(path, &b, e);

	if (r < 0)
		return r;
	fd = memfd_create("credential", MFD_ALLOW_SEALING);
	if (fd < 0 || mue_fd_write(fd, b.data, b.len, e) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
		r = mue_fail_errno(e, "%s: memory file", path);
		mue_fd_close(&fd);
	} else {
		snprintf(ret, ret_size, "/proc/self/fd/%d", fd);
	}
	mue_buf_free(&b);
	return r;
}
