#include "agent/boot_sim.h"

#include "core/bootstate.h"
#include "host/bootname.h"
#include "host/file.h"
#include "host/log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_AFTER_MS 2000 /* from SIGTERM to SIGKILL when the machine is told to stop */
#define SYSTEM        "system"

/* Between two starts of an agent that leaves with MUE_BOOT_SIM_RESTART: doubled each time. */
#define RESTART_MS      20
#define RESTART_MOST_MS 5000

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DNR) /* an image may carry folders nobody may read */
		chmod(path, 0700);
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static int empty_root(const char *path, struct mue_error *e)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
		return mue_fail_errno(e, "%s: cannot be emptied", path);
	return 0;
}

/* In the child: the signals back to what programs expect, and no life after the machine's. */
static void become_child(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
}

static void quiet(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd >= 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
	}
}

int mue_boot_sim_unpack(const struct mue_boot_sim *m, int image, struct mue_error *e)
{
	char to[4096], from[64];
	int status, r;
	pid_t pid;

	snprintf(to, sizeof(to), "%s/" SYSTEM, m->root);
	r = empty_root(to, e);
	if (r < 0)
		return r;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return mue_fail_errno(e, "cannot start unsquashfs");
	if (pid == 0) {
		become_child();
		quiet();
		/* A copy without close-on-exec, for the path below. */
		snprintf(from, sizeof(from), "/proc/self/fd/%d", dup(image));
		execlp("unsquashfs", "unsquashfs", "-no-progress", "-no-xattrs", "-processors", "1",
		       "-dest", to, from, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return mue_fail_errno(e, "waiting for unsquashfs");
	/* 2: something could not be set, e.g. a device node without root. */
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 2))
		return mue_fail(e, MUE_EFORMAT,
				"unsquashfs ended with %d; is the image a squashfs?",
				WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	return 0;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* Not root: be root of a user namespace of our own, so that chroot is allowed. */
static void become_root(void)
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();

	if (uid == 0)
		return;
	if (unshare(CLONE_NEWUSER) < 0)
		return;
	write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_text("/proc/self/gid_map", map);
}

static pid_t start_init(const struct mue_boot_sim *m)
{
	char root[4096];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	become_child();
	snprintf(root, sizeof(root), "%s/" SYSTEM, m->root);
	become_root();
	if (chroot(root) < 0 || chdir("/") < 0) {
		perror(root);
		_exit(126);
	}
	execl("/init", "/init", (char *)NULL);
	perror("/init");
	_exit(127);
}

static pid_t start_agent(const struct mue_boot_sim *m)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	become_child();
	execvp(m->agent[0], m->agent);
	perror(m->agent[0]);
	_exit(127);
}

/* Both what runs and the commands that agent and init start may want to know. */
static void set_environment(const struct mue_boot_sim *m, const struct mue_boot_sim_boot *b)
{
	char text[4096];

	setenv("MUE_BOOT_SLOT", mue_slot_name(b->slot), 1);
	setenv("MUE_BOOT_REASON", mue_boot_reason_name(b->reason), 1);
	snprintf(text, sizeof(text), "%s/" SYSTEM, m->root);
	setenv("MUE_BOOT_ROOT", text, 1);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)b->sequence);
	setenv("MUE_BOOT_SEQUENCE", text, 1);
}

/* The first child of ours in /proc's list, 0: none.  Orphans come to us: we are their subreaper. */
static pid_t any_child(void)
{
	char path[64];
	long pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%ld", &pid) != 1)
		pid = 0;
	fclose(f);
	return (pid_t)pid;
}

/* Power off: nothing that this boot started is left. */
static void power_off(const pid_t group[2])
{
	pid_t child;

	for (int i = 0; i < 2; i++)
		if (group[i] > 0)
			kill(-group[i], SIGKILL);
	while ((child = any_child()) > 0) {
		kill(child, SIGKILL);
		if (waitpid(child, NULL, 0) < 0 && errno != EINTR)
			break;
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Told to stop: politely first. */
static void stop(const pid_t group[2])
{
	const struct timespec tick = { .tv_nsec = 5000000 };

	for (int i = 0; i < 2; i++)
		if (group[i] > 0)
			kill(-group[i], SIGTERM);
	for (int ms = 0; ms < KILL_AFTER_MS; ms += 5) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		nanosleep(&tick, NULL);
	}
	power_off(group);
}

enum { INIT, AGENT };

/* One boot while it runs. */
struct life {
	const struct mue_boot_sim *m;
	pid_t group[2];
	unsigned pause_ms; /* before the agent's next start when it asks for one */
	bool resting;      /* the agent is to be started when the pause is over */
	enum mue_boot_sim_end end;
	int code;
};

static void start_again(struct life *l)
{
	l->resting = false;
	l->group[AGENT] = start_agent(l->m);
}

/* The agent has ended.  1: this boot is over. */
static int agent_ended(struct life *l, int status)
{
	l->group[AGENT] = -1;
	if (!WIFEXITED(status)) { /* killed: the machine's init starts it again */
		mue_log(MUE_LOG_WARN, "boot.agent_killed", "signal", MUE_LOG_NUM(WTERMSIG(status)),
			NULL);
		start_again(l);
		return 0;
	}
	l->code = WEXITSTATUS(status);
	if (l->code == MUE_BOOT_SIM_RESTART && !l->m->once) {
		mue_log(MUE_LOG_WARN, "boot.agent_restart", "pause_ms", MUE_LOG_NUM(l->pause_ms),
			NULL);
		l->resting = true;
		return 0;
	}
	l->end = l->code == MUE_BOOT_SIM_REBOOT ? MUE_BOOT_SIM_REBOOTS : MUE_BOOT_SIM_ENDED;
	return 1;
}

/* Looks at who has ended.  1: this boot is over. */
static int reap(struct life *l)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;

		if (pid == l->group[INIT]) {
			l->group[INIT] = -1;
			if (!failed)
				continue; /* a boot script that is done */
			mue_log(MUE_LOG_WARN, "boot.init_failed", "status", MUE_LOG_NUM(status),
				NULL);
			l->code = 1;
			l->end = MUE_BOOT_SIM_CRASHED;
			return 1;
		}
		if (pid != l->group[AGENT])
			continue;
		kill(-pid, SIGKILL); /* what it left behind */
		if (agent_ended(l, status))
			return 1;
	}
	return 0;
}

/* Waits for a signal, or for the end of a pause: 0. */
static int next_signal(struct life *l, const sigset_t *set)
{
	struct timespec t = { l->pause_ms / 1000, l->pause_ms % 1000 * 1000000L };
	int got;

	if (!l->resting)
		return sigwaitinfo(set, NULL);
	/* Another child's end makes the pause begin again: harmless. */
	got = sigtimedwait(set, NULL, &t);
	if (got >= 0 || errno != EAGAIN)
		return got;
	l->pause_ms = l->pause_ms * 2 < RESTART_MOST_MS ? l->pause_ms * 2 : RESTART_MOST_MS;
	start_again(l);
	return 0;
}

enum mue_boot_sim_end mue_boot_sim_run(const struct mue_boot_sim *m,
				       const struct mue_boot_sim_boot *b, int *ret_code)
{
	struct life l = { .m = m, .pause_ms = RESTART_MS, .end = MUE_BOOT_SIM_ENDED };
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	set_environment(m, b);
	fflush(NULL);
	l.group[INIT] = start_init(m);
	l.group[AGENT] = start_agent(m);
	for (;;) {
		got = next_signal(&l, &set);
		if (got == SIGTERM || got == SIGINT) {
			stop(l.group);
			*ret_code = 0;
			return MUE_BOOT_SIM_ENDED;
		}
		if (got == SIGCHLD && reap(&l)) {
			power_off(l.group);
			*ret_code = l.code;
			return l.end;
		}
	}
}
