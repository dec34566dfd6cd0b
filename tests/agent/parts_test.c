/* Back-off, health commands, boot control, the action's record, versions, and what a confined
 * process can no longer do. */
#include "agent/action.h"
#include "agent/bootctl/bootctl.h"
#include "agent/health.h"
#include "agent/ipc.h"
#include "agent/release_check.h"
#include "agent/sandbox.h"
#include "core/bootstate.h"
#include "host/file.h"
#include "host/flash_file.h"
#include "links/backoff.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int folder_up(void **state)
{
	char *folder = strdup("/tmp/mue-parts-XXXXXX");

	assert_non_null(folder);
	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static int folder_down(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
	assert_int_equal(system(command), 0);
	free(*state);
	return 0;
}

/* --- back-off --- */

static const struct {
	const char *says;
	uint32_t first_s, most_s;
	int fruitless; /* attempts before this one */
	int fruitful;
	uint32_t retry_after_s;
	uint64_t least_ms, most_ms;
} pauses[] = {
	{ "the first pause", 5, 900, 0, 0, 0, 2500, 5000 },
	{ "it doubles", 5, 900, 1, 0, 0, 5000, 10000 },
	{ "and doubles", 5, 900, 4, 0, 0, 40000, 80000 },
	{ "up to its limit", 5, 900, 40, 0, 0, 450000, 900000 },
	{ "new bytes begin anew", 5, 900, 7, 1, 0, 2500, 5000 },
	{ "the server's word is the least", 5, 900, 0, 0, 60, 60000, 66000 },
	{ "a long own pause stays", 5, 900, 40, 0, 10, 450000, 900000 },
	{ "no pause when none is wanted", 0, 900, 3, 0, 0, 0, 0 },
};

static void pauses_grow_and_stay_random(void **state)
{
	static const uint32_t randoms[] = { 0, 1u << 31, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++)
		for (size_t k = 0; k < 3; k++) {
			struct mue_backoff b;
			uint64_t ms;

			mue_backoff_init(&b, pauses[i].first_s, pauses[i].most_s);
			b.fruitless = (uint32_t)pauses[i].fruitless;
			ms = mue_backoff_next(&b, pauses[i].fruitful, pauses[i].retry_after_s,
					      randoms[k]);
			if (ms < pauses[i].least_ms || ms > pauses[i].most_ms)
				fail_msg("%s: got %llu ms", pauses[i].says, (unsigned long long)ms);
		}
	assert_int_equal(mue_backoff_jitter(300, 0), 300000);
	assert_int_equal(mue_backoff_jitter(300, UINT32_MAX), 330000);
	assert_int_equal(mue_backoff_jitter(UINT32_MAX, UINT32_MAX) / 1000 / 1000, 4724464);
}

/* --- health --- */

static void add_check(const char *folder, const char *name, const char *script, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(mue_file_write(path, script, strlen(script), 0700, NULL), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void drop_check(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
}

static void health_is_what_the_commands_say(void **state)
{
	static const struct {
		const char *says, *script, *words;
		mode_t mode;
		int verdict;
	} rows[] = {
		{ "exit 0 is a pass", "#!/bin/sh\necho fine\n", "", 0700, 0 },
		{ "exit 3 fails, with its last line", "#!/bin/sh\necho a\necho no disk\nexit 3\n",
		  "exit 3: no disk", 0700, MUE_EHEALTH },
		{ "what is not executable is no command", "#!/bin/sh\nexit 3\n", "", 0600, 0 },
		{ "a signal fails", "#!/bin/sh\nkill -9 $$\n", "killed by signal 9", 0700,
		  MUE_EHEALTH },
		{ "no interpreter fails", "#!/no/such\n", "exit 127", 0700, MUE_EHEALTH },
		{ "a command that hangs is ended", "#!/bin/sh\nsleep 100 & sleep 100\n",
		  "not done after 1 s", 0700, MUE_EHEALTH },
		{ "one that hangs silently too", "#!/bin/sh\nexec >&- 2>&-\nsleep 100\n",
		  "not done after 1 s", 0700, MUE_EHEALTH },
		{ "odd bytes become question marks", "#!/bin/sh\nprintf 'a\\377\\033b'\nexit 1\n",
		  "exit 1: a??b", 0700, MUE_EHEALTH },
	};
	char folder[128];

	snprintf(folder, sizeof(folder), "%s/health", (char *)*state);
	assert_int_equal(mue_health_run(folder, 1, NULL), 0); /* not there */
	assert_int_equal(mkdir(folder, 0700), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_error e = { 0 };
		time_t begin = time(NULL);
		int r;

		add_check(folder, "20-check", rows[i].script, rows[i].mode);
		add_check(folder, "10-first", "#!/bin/sh\nexit 0\n", 0700);
		r = mue_health_run(folder, 1, &e);
		if (r != rows[i].verdict || !strstr(e.text, rows[i].words))
			fail_msg("%s: got %d \"%s\"", rows[i].says, r, e.text);
		assert_true(time(NULL) - begin < 10);
		drop_check(folder, "20-check");
	}
}

/* --- boot control: what every member promises --- */

static void each_boot_control_conforms(void **state)
{
	for (size_t i = 0; mue_bootctl_names[i]; i++) {
		char spec[192];
		struct mue_bootctl b;
		struct mue_boot_view v;
		struct mue_error e = { 0 };

		snprintf(spec, sizeof(spec), "%s:%s/boot-%zu", mue_bootctl_names[i], (char *)*state,
			 i);
		assert_int_equal(mue_bootctl_init(&b, spec, &e), 0);
		assert_int_equal(b.ops->view(&b, &v, &e), 0);
		assert_int_equal(v.active, MUE_SLOT_A);
		assert_int_equal(v.trial, MUE_SLOT_NONE);
		/* the running slot must not be written, the other may */
		assert_int_equal(b.ops->begin_write(&b, MUE_SLOT_A, &e), MUE_EPERM);
		assert_int_equal(b.ops->begin_write(&b, MUE_SLOT_B, &e), 0);
		/* a trial can be asked for and given up */
		assert_int_equal(b.ops->request_trial(&b, MUE_SLOT_B, 3, 7, &e), 0);
		assert_int_equal(b.ops->view(&b, &v, &e), 0);
		assert_int_equal(v.trial, MUE_SLOT_B);
		assert_false(v.begun);
		assert_int_equal(b.ops->drop_trial(&b, &e), 0);
		assert_int_equal(b.ops->view(&b, &v, &e), 0);
		assert_int_equal(v.trial, MUE_SLOT_NONE);
		assert_int_equal(v.counter, 0); /* only a confirm raises it */
		/* a running image that was never on trial cannot be confirmed as B */
		assert_int_equal(b.ops->confirm(&b, MUE_SLOT_B, &e), MUE_EPERM);
	}
	assert_int_equal(mue_bootctl_init(&(struct mue_bootctl){ 0 }, "grub:/x", NULL), MUE_EINVAL);
	assert_int_equal(mue_bootctl_init(&(struct mue_bootctl){ 0 }, "sim", NULL), MUE_EINVAL);
}

/* What the loader does on a boot. */
static void boot_once(const char *path, uint8_t *ret_slot)
{
	struct mue_flash_file ff;
	struct mue_bootstate s;
	struct mue_boot_choice choice;

	assert_int_equal(mue_flash_file_open(&ff, path, NULL), 0);
	assert_int_equal(mue_bootstate_load(&ff.flash, &s), 0);
	mue_bootstate_step(&s, 0, 0, &choice);
	if (choice.store)
		assert_int_equal(mue_bootstate_store(&ff.flash, &s), 0);
	mue_flash_file_close(&ff);
	*ret_slot = choice.slot;
}

static void a_trial_is_confirmed_or_reverted(void **state)
{
	char spec[192];
	struct mue_bootctl b;
	struct mue_boot_view v;
	struct mue_error e = { 0 };
	uint8_t slot;

	snprintf(spec, sizeof(spec), "sim:%s/boot-trial", (char *)*state);
	assert_int_equal(mue_bootctl_init(&b, spec, &e), 0);
	assert_int_equal(b.ops->begin_write(&b, MUE_SLOT_B, &e), 0);
	assert_int_equal(b.ops->request_trial(&b, MUE_SLOT_B, 2, 7, &e), 0);
	boot_once(b.path, &slot);
	assert_int_equal(slot, MUE_SLOT_B);
	assert_int_equal(b.ops->drop_trial(&b, &e), MUE_EREBOOT); /* too late */
	assert_int_equal(b.ops->confirm(&b, MUE_SLOT_B, &e), 0);
	assert_int_equal(b.ops->view(&b, &v, &e), 0);
	assert_int_equal(v.active, MUE_SLOT_B);
	assert_int_equal(v.counter, 7);
	/* below the floor no trial is to be had */
	assert_int_equal(b.ops->begin_write(&b, MUE_SLOT_A, &e), 0);
	assert_int_equal(b.ops->request_trial(&b, MUE_SLOT_A, 2, 6, &e), MUE_ECOUNTER);
	assert_int_equal(b.ops->request_trial(&b, MUE_SLOT_A, 2, 8, &e), 0);
	boot_once(b.path, &slot);
	assert_int_equal(slot, MUE_SLOT_A);
	assert_int_equal(b.ops->revert(&b, MUE_EHEALTH, &e), 0);
	boot_once(b.path, &slot);
	assert_int_equal(slot, MUE_SLOT_B);
	assert_int_equal(b.ops->view(&b, &v, &e), 0);
	assert_int_equal(v.counter, 7); /* the failed image did not raise it */
	assert_int_equal(v.verdict, MUE_EHEALTH);
}

/* --- the action's record --- */

static void an_action_survives_and_damage_is_none(void **state)
{
	struct mue_action a = { .phase = MUE_ACTION_TRIAL, .id = "17", .slot = 1, .reboots = 2 };
	struct mue_action b;
	char path[128];

	snprintf(a.text, sizeof(a.text), "why \"so\"");
	a.digest[31] = 9;
	assert_int_equal(mue_action_load(*state, &b, NULL), 0);
	assert_int_equal(b.phase, MUE_ACTION_NONE);
	assert_int_equal(mue_action_store(*state, &a, NULL), 0);
	assert_int_equal(mue_action_load(*state, &b, NULL), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	snprintf(path, sizeof(path), "%s/action", (char *)*state);
	assert_int_equal(mue_file_write(path, "{\"phase\":9}", 11, 0600, NULL), 0);
	assert_int_equal(mue_action_load(*state, &b, NULL), 0);
	assert_int_equal(b.phase, MUE_ACTION_NONE);
	assert_int_equal(mue_action_clear(*state, NULL), 0);
}

/* --- version conditions --- */

static void a_version_is_compared_by_its_numbers(void **state)
{
	static const struct {
		uint8_t how, number[2];
		const char *have;
		int verdict;
	} rows[] = {
		{ 1, { 1, 4 }, "1.5", 0 },
		{ 1, { 1, 4 }, "1.4", MUE_ECONDITION },
		{ 2, { 1, 4 }, "1.4.0", 0 },
		{ 3, { 1, 4 }, "v1.4", 0 },
		{ 3, { 1, 4 }, "1.10", MUE_ECONDITION },
		{ 4, { 1, 4 }, "1.3.9", 0 },
		{ 5, { 1, 4 }, "0.9", 0 },
		{ 5, { 1, 4 }, "2", MUE_ECONDITION },
		{ 2, { 1, 0 }, "1", 0 },
		{ 2, { 0, 1 }, "unknown", MUE_ECONDITION },
		{ 6, { 1, 4 }, "1", MUE_EFORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t want[] = { 0x82, rows[i].how, 0x82, rows[i].number[0],
					 rows[i].number[1] };
		int r = mue_release_version((struct mue_view){ want, sizeof(want) }, rows[i].have,
					    NULL);

		if (r != rows[i].verdict)
			fail_msg("comparison %u with %s: got %d", rows[i].how, rows[i].have, r);
	}
	assert_int_equal(mue_release_version((struct mue_view){ NULL, 0 }, "1", NULL), MUE_EFORMAT);
}

/* --- messages --- */

static void a_message_arrives_whole_or_not(void **state)
{
	static uint8_t data[MUE_IPC_DATA], got[MUE_IPC_DATA];
	struct mue_ipc_msg m, n;
	size_t len = 0;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	memset(data, 3, sizeof(data));
	mue_ipc_make(&m, MUE_IPC_DATA_, "8");
	assert_int_equal(mue_ipc_send(fd[0], &m, data, sizeof(data), NULL), 0);
	assert_int_equal(mue_ipc_recv(fd[1], &n, got, &len, 1000, NULL), 0);
	assert_int_equal(len, sizeof(data));
	assert_memory_equal(got, data, len);
	assert_string_equal(n.action, "8");
	assert_int_equal(mue_ipc_recv(fd[1], &n, got, &len, 0, NULL), MUE_ETIMEOUT);
	/* texts without an end, unknown types, half messages */
	memset(m.action, 'x', sizeof(m.action));
	memset(m.text, 'x', sizeof(m.text));
	assert_int_equal(mue_ipc_send(fd[0], &m, NULL, 0, NULL), 0);
	assert_int_equal(mue_ipc_recv(fd[1], &n, got, &len, 1000, NULL), 0);
	assert_int_equal(strlen(n.action), MUE_IPC_ACTION - 1);
	m.type = 99;
	assert_int_equal(mue_ipc_send(fd[0], &m, NULL, 0, NULL), 0);
	assert_int_equal(mue_ipc_recv(fd[1], &n, got, &len, 1000, NULL), MUE_EPROTOCOL);
	assert_int_equal(send(fd[0], "abc", 3, 0), 3);
	assert_int_equal(mue_ipc_recv(fd[1], &n, got, &len, 1000, NULL), MUE_EPROTOCOL);
	m.type = MUE_IPC_DATA_;
	assert_int_equal(mue_ipc_send(fd[0], &m, data, 10, NULL), 0);
	assert_int_equal(mue_ipc_recv(fd[1], &n, NULL, NULL, 1000, NULL), MUE_EPROTOCOL);
	close(fd[0]);
	assert_int_equal(mue_ipc_recv(fd[1], &n, got, &len, 1000, NULL), MUE_ELINK);
	close(fd[1]);
}

/* --- confinement: tried in a child, its exit status says what it could do --- */

enum {
	COULD_SOCKET_INET = 1,
	COULD_EXEC = 2,
	COULD_WRITE_OUTSIDE = 4,
	COULD_NOT_WRITE_SPOOL = 8,
	COULD_BECOME_ROOT = 16,
	COULD_FORK = 32,
	NOT_CONFINED = 64,
};

static int what_can_be_done(const char *spool, const char *outside)
{
	char path[256];
	int could = 0, fd;
	pid_t pid;

	if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
		could |= COULD_SOCKET_INET;
	snprintf(path, sizeof(path), "%s/x", outside);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd >= 0)
		could |= COULD_WRITE_OUTSIDE;
	snprintf(path, sizeof(path), "%s/y", spool);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd < 0)
		could |= COULD_NOT_WRITE_SPOOL;
	if (setuid(0) == 0)
		could |= COULD_BECOME_ROOT;
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid > 0) {
		could |= COULD_FORK;
		waitpid(pid, NULL, 0);
	}
	execl("/bin/sh", "sh", "-c", "exit 2", (char *)NULL);
	return could;
}

static int confined(const char *base, bool fetch)
{
	struct mue_sandbox_user user = { geteuid(), getegid() };
	char spool[128], outside[128];
	const char *const writable[] = { spool, NULL };
	int status;
	pid_t pid;

	snprintf(spool, sizeof(spool), "%s/spool", base);
	snprintf(outside, sizeof(outside), "%s/outside", base);
	(void)mkdir(spool, 0777);
	(void)mkdir(outside, 0777);
	(void)chmod(base, 0777);
	(void)chmod(spool, 0777);
	(void)chmod(outside, 0777);
	if (geteuid() == 0)
		assert_int_equal(mue_sandbox_user("nobody", &user, NULL), 0);
	pid = fork();
	if (pid == 0) {
		int r = fetch ? mue_sandbox_fetch(&user, writable, NULL)
			      : mue_sandbox_install(NULL);

		_exit(r < 0 ? NOT_CONFINED : what_can_be_done(spool, outside));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void fetch_can_reach_the_network_and_nothing_else(void **state)
{
	assert_int_equal(confined(*state, true), COULD_SOCKET_INET);
}

static void install_has_no_network(void **state)
{
	int could = confined(*state, false);

	assert_int_equal(could & NOT_CONFINED, 0);
	assert_int_equal(could & COULD_SOCKET_INET, 0);
	assert_int_equal(could, COULD_EXEC); /* it runs health checks: sh says 2 */
}

static void a_credential_is_a_sealed_copy(void **state)
{
	char path[128], copy[32], text[8] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/key", (char *)*state);
	assert_int_equal(mue_file_write(path, "secret", 6, 0600, NULL), 0);
	assert_int_equal(mue_sandbox_credential(path, copy, sizeof(copy), NULL), 0);
	fd = open(copy, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 6);
	assert_string_equal(text, "secret");
	close(fd);
	fd = open(copy, O_RDWR | O_CLOEXEC);
	assert_true(fd < 0 || write(fd, "x", 1) < 0);
	close(fd);
	assert_int_equal(mue_sandbox_credential("/no/such", copy, sizeof(copy), NULL),
			 MUE_ENOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_and_stay_random),
		cmocka_unit_test(health_is_what_the_commands_say),
		cmocka_unit_test(each_boot_control_conforms),
		cmocka_unit_test(a_trial_is_confirmed_or_reverted),
		cmocka_unit_test(an_action_survives_and_damage_is_none),
		cmocka_unit_test(a_version_is_compared_by_its_numbers),
		cmocka_unit_test(a_message_arrives_whole_or_not),
		cmocka_unit_test(fetch_can_reach_the_network_and_nothing_else),
		cmocka_unit_test(install_has_no_network),
		cmocka_unit_test(a_credential_is_a_sealed_copy),
	};

	return cmocka_run_group_tests(tests, folder_up, folder_down);
}
