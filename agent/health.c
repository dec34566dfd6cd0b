#include "agent/health.h"

#include "host/file.h"
#include "host/log.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TAIL 160 /* bytes of a command's output that are kept: the last ones */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Keeps the last bytes read. */
static void keep_tail(char tail[TAIL], size_t *len, const char *data, size_t n)
{
	if (n > TAIL - 1) {
		data += n - (TAIL - 1);
		n = TAIL - 1;
	}
	if (*len + n > TAIL - 1) {
		size_t drop = *len + n - (TAIL - 1);

		memmove(tail, tail + drop, *len - drop);
		*len -= drop;
	}
	memcpy(tail + *len, data, n);
	*len += n;
	tail[*len] = 0;
}

static char *last_line(char *text)
{
	size_t n = strlen(text);
	char *line;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		text[--n] = 0;
	line = strrchr(text, '\n');
	for (char *p = text; *p; p++) /* it becomes a report: printable ASCII only */
		if ((*p < ' ' || *p > '~') && *p != '\n')
			*p = '?';
	return line ? line + 1 : text;
}

/* Reads until the end of the output or the deadline; false: the deadline passed. */
static bool drain(int fd, int64_t deadline, char tail[TAIL])
{
	char buf[1024];
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - now_ms();
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return true;
		if (!p.revents)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			return true;
		keep_tail(tail, &len, buf, (size_t)n);
	}
}

static pid_t start(const char *path, int out)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	setpgid(0, 0); /* so that its children can be ended with it */
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execl(path, path, (char *)NULL);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

/* Waits until the deadline for the process itself; then the group is ended. */
static bool reap(pid_t pid, int64_t deadline, int *status)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	pid_t n;

	while ((n = waitpid(pid, status, WNOHANG)) == 0 && now_ms() < deadline)
		nanosleep(&nap, NULL);
	kill(-pid, SIGKILL);
	if (n == pid)
		return true;
	waitpid(pid, status, 0);
	return false;
}

static int run_one(const char *folder, const char *name, uint32_t timeout_s, struct mue_error *e)
{
	int64_t deadline = now_ms() + (int64_t)timeout_s * 1000;
	char path[512], tail[TAIL] = "";
	int fds[2], status = 0;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (access(path, X_OK) < 0)
		return 0;
	if (pipe(fds) < 0)
		return mue_fail_errno(e, "health check %s", name);
	pid = start(path, fds[1]);
	mue_fd_close(&fds[1]);
	if (pid < 0) {
		mue_fd_close(&fds[0]);
		return mue_fail_errno(e, "health check %s", name);
	}
	(void)drain(fds[0], deadline, tail);
	mue_fd_close(&fds[0]);
	if (!reap(pid, deadline, &status))
		return mue_fail(e, MUE_EHEALTH, "health check %s: not done after %u s", name,
				timeout_s);
	if (WIFSIGNALED(status))
		return mue_fail(e, MUE_EHEALTH, "health check %s: killed by signal %d: %s", name,
				WTERMSIG(status), last_line(tail));
	if (WEXITSTATUS(status) != 0)
		return mue_fail(e, MUE_EHEALTH, "health check %s: exit %d: %s", name,
				WEXITSTATUS(status), last_line(tail));
	mue_log(MUE_LOG_INFO, "health.pass", "check", name, NULL);
	return 0;
}

int mue_health_run(const char *folder, uint32_t timeout_s, struct mue_error *e)
{
	struct dirent **names;
	int r = 0, n = *folder ? scandir(folder, &names, visible, alphasort) : 0;

	if (n < 0)
		return errno == ENOENT ? 0 : mue_fail_errno(e, "health folder %s", folder);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = run_one(folder, names[i]->d_name, timeout_s, e);
		free(names[i]);
	}
	if (n > 0)
		free(names);
	return r;
}
