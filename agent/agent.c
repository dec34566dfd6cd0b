/*
 * mue-agent - brings updates onto a Linux device.  Two processes: `fetch` (fetch.h) talks to the
 * server and may touch nothing; `install` (install.h) writes slots and cannot reach a network.
 */
#include "agent/fetch.h"
#include "agent/install.h"
#include "agent/memory.h"
#include "agent/sandbox.h"

#include "host/file.h"
#include "host/log.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 64,
	EXIT_BUSY = 69,
	EXIT_RESTART = 70,
	EXIT_CONFIG = 78,
};

#define FAREWELL_S 30 /* fetch may take so long to send its last reports before a reboot */

struct options {
	const char *config;
	bool once;
};

static void usage(FILE *f)
{
	fputs("usage: mue-agent --config FILE [--once]\n"
	      "Polls a server (hawkBit DDI v1), verifies and installs updates into the inactive\n"
	      "slot, boots it on trial, confirms or reverts, and reports.\n"
	      "  --config FILE   lines `key = value`, see below\n"
	      "  --once          one poll and what follows from it, then exit\n"
	      "  --help          this text\n"
	      "Environment: MUE_BOOT_SLOT (a, b) and MUE_BOOT_REASON from the boot loader;\n"
	      "MUE_LOG=debug|info|warn|error.\n"
	      "Exit: 0 ended by a signal or --once; 64 usage; 69 another agent has the state;\n"
	      "70 restart me (a process ended early, the reason is logged); 75 reboot me;\n"
	      "78 the configuration is wrong.\n"
	      "Configuration:\n",
	      f);
	mue_config_help(f);
}

/* < 0: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
					       { "once", no_argument, NULL, 'o' },
					       { "help", no_argument, NULL, 'h' },
					       { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == 'c') {
			o->config = optarg;
		} else if (c == 'o') {
			o->once = true;
		} else if (c == 'h') {
			usage(stdout);
			return 0;
		} else {
			return EXIT_USAGE;
		}
	}
	if (o->config && optind == argc)
		return -1;
	fputs("mue-agent: --config FILE is needed; remedy: mue-agent --help\n", stderr);
	return EXIT_USAGE;
}

/* Keeps a second agent away from the state.  After a kill the old fetch may live a moment longer.
 */
static int lock_state(const struct mue_config *c, int *ret_fd, struct mue_error *e)
{
	const struct timespec nap = { .tv_nsec = 100000000 };
	char path[300];
	int r;

	snprintf(path, sizeof(path), "%s/lock", c->state);
	*ret_fd = mue_file_append_open(path, 0600, e);
	if (*ret_fd < 0)
		return *ret_fd;
	for (int i = 0; (r = mue_file_lock(*ret_fd, e)) == MUE_EBUSY && i < 30; i++)
		nanosleep(&nap, NULL);
	if (r < 0)
		mue_fail(e, r, "%s is locked: another mue-agent runs with this state", c->state);
	return r;
}

/* Makes the folders. */
static int prepare_state(const struct mue_config *c, const struct mue_sandbox_user *user,
			 struct mue_error *e)
{
	int r;

	if ((r = mue_file_mkdirs(c->state, 0755, e)) < 0 ||
	    (r = mue_file_mkdirs(c->envelopes, 0755, e)) < 0 ||
	    (r = mue_file_mkdirs(c->spool, 0700, e)) < 0)
		return r;
	if (geteuid() == 0 && chown(c->spool, user->uid, user->gid) < 0)
		return mue_fail_errno(e, "spool: %s", c->spool);
	return 0;
}

/* Credentials are read before root is given up: only this process will have them. */
static int take_credentials(struct mue_config *c, struct mue_error *e)
{
	char *const files[] = { c->ca, c->cert, c->key };
	char path[32];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int r;

		if (!*files[i] || strncmp(files[i], "pkcs11:", 7) == 0)
			continue;
		r = mue_sandbox_credential(files[i], path, sizeof(path), e);
		if (r < 0)
			return mue_prefix(e, "%s", i == 0 ? "ca" : i == 1 ? "cert" : "key");
		snprintf(files[i], MUE_CONFIG_TEXT, "%s", path);
	}
	return 0;
}

static int run_fetch(struct mue_config *c, const struct mue_sandbox_user *user, int sock, bool once)
{
	const char *writable[3] = { ".", *c->keystore ? c->keystore : NULL, NULL };
	struct mue_error e = { 0 };
	int r = take_credentials(c, &e);

	/* The spool as the working folder: the way to it may be closed to the user. */
	if (r == 0 && chdir(c->spool) < 0)
		r = mue_fail_errno(&e, "spool: %s", c->spool);
	snprintf(c->spool, sizeof(c->spool), ".");
	if (r == 0)
		r = mue_sandbox_fetch(user, writable, &e);
	if (r < 0) {
		mue_log(MUE_LOG_ERROR, "fetch.cannot-start", "verdict", mue_err_name(r), "why",
			e.text, NULL);
		return EXIT_CONFIG;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	mue_memory_trim();
	return mue_fetch_main(c, sock, once);
}

static void on_signal(int number)
{
	(void)number; /* it interrupts the wait for messages: that is all */
}

/* Ending is asked for by SIGTERM or SIGINT; they arrive only while install waits. */
static void hold_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal };
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigprocmask(SIG_BLOCK, &held, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGINT, &a, NULL);
}

static void release_signals(void)
{
	sigset_t none;

	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* fetch sends what it can and ends; then the device goes down. */
static int reboot(struct mue_install *in, pid_t fetch)
{
	struct mue_error e = { 0 };
	struct mue_ipc_msg m;
	int status;

	mue_ipc_make(&m, MUE_IPC_REBOOT, NULL);
	if (mue_ipc_send(in->sock, &m, NULL, 0, &e) == 0)
		(void)mue_ipc_recv(in->sock, &m, NULL, NULL, FAREWELL_S * 1000, &e);
	kill(fetch, SIGKILL);
	waitpid(fetch, &status, 0);
	mue_log(MUE_LOG_INFO, "agent.reboot", NULL);
	release_signals(); /* the command inherits them */
	if (!in->boot.exits && system(in->c->reboot) != 0)
		mue_log(MUE_LOG_ERROR, "agent.reboot-failed", "command", in->c->reboot, NULL);
	return MUE_EXIT_REBOOT;
}

static int run_install(struct mue_install *in, pid_t fetch, bool once)
{
	struct mue_error e = { 0 };
	int status = 0, r = mue_sandbox_install(&e);

	mue_memory_trim();
	if (r == 0)
		r = mue_trial_settle(in, &e);
	if (r == 0)
		r = mue_install_loop(in, &e);
	if (r == MUE_INSTALL_REBOOT)
		return reboot(in, fetch);
	mue_fd_close(&in->sock);
	if (r == MUE_ECANCELLED) {
		kill(fetch, SIGTERM);
		waitpid(fetch, &status, 0);
		mue_log(MUE_LOG_INFO, "agent.end", NULL);
		return 0;
	}
	if (r != MUE_ELINK)
		kill(fetch, SIGKILL);
	waitpid(fetch, &status, 0);
	if (once && r == MUE_ELINK && WIFEXITED(status) && WEXITSTATUS(status) != EXIT_CONFIG)
		return WEXITSTATUS(status) == 0 ? 0 : EXIT_RESTART;
	mue_log(MUE_LOG_ERROR, "agent.broken", "verdict", mue_err_name(r), "why", e.text, NULL);
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG ? EXIT_CONFIG : EXIT_RESTART;
}

/* Both processes over one socketpair: fetch is the child, so that install gives the exit status. */
static int run(struct mue_config *c, struct mue_install *in, const struct mue_sandbox_user *user,
	       int lock, bool once)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return EXIT_RESTART;
	hold_signals();
	pid = fork();
	if (pid < 0)
		return EXIT_RESTART;
	if (pid == 0) {
		release_signals();
		mue_fd_close(&pair[0]);
		mue_fd_close(&lock); /* it ends with install, whatever becomes of us */
		mue_install_free(in);
		_exit(run_fetch(c, user, pair[1], once));
	}
	mue_fd_close(&pair[1]);
	in->sock = pair[0];
	return run_install(in, pid, once);
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct mue_config c;
	struct mue_install in;
	struct mue_sandbox_user user = { geteuid(), getegid() };
	struct mue_error e = { 0 };
	int lock = -1, r, status = parse_options(argc, argv, &o);

	if (status >= 0)
		return status;
	mue_memory_trim();
	r = mue_config_load(o.config, &c, &e);
	if (r == 0 && geteuid() == 0)
		r = mue_sandbox_user(c.user, &user, &e);
	if (r == 0)
		r = prepare_state(&c, &user, &e);
	if (r == 0)
		r = lock_state(&c, &lock, &e);
	if (r == 0)
		r = mue_install_init(&in, &c, getenv("MUE_BOOT_SLOT"), getenv("MUE_BOOT_REASON"),
				     &e);
	if (r < 0) {
		mue_log(MUE_LOG_ERROR, "agent.cannot-start", "verdict", mue_err_name(r), "why",
			e.text, NULL);
		return r == MUE_EBUSY ? EXIT_BUSY : EXIT_CONFIG;
	}
	mue_log(MUE_LOG_INFO, "agent.start", "id", c.id, "slot", mue_install_slot_name(in.running),
		"version", in.device.running.version, "boot", in.reason, NULL);
	mue_trial_check(&in);
	status = run(&c, &in, &user, lock, o.once);
	mue_install_free(&in);
	return status;
}
