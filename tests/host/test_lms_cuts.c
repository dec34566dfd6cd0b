/*
 * The LMS signer under kill -9 and power cuts.
 *
 * The signer runs in a child that is stopped (ptrace) before and after each of its system calls
 * that changes a file.  At one of these stops it is killed.  Then the disk may also lose what was
 * not yet synced: the tail of the journal goes, or is torn, or is zeros; a rename that no fsync of
 * the folder followed is undone.  After that a new signer recovers and is cut too. What must hold:
 * no index ever appears with two messages among the signatures that left the process, and each of
 * them stands in the journal.
 */
#include "host/buf.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/lms_signer.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants the above first. */
#include <cmocka.h>

#include "tests/host/folder.h"

#define INDICES 1024 /* two levels of H5 */
#define NEVER   UINT32_MAX

enum loss { KEEP, TAIL_LOST, TAIL_TORN, TAIL_ZERO, RENAME_LOST, LOSSES };

static char key[96], journal[112], state_file[112];
static unsigned keys_made, message_number;

/* What is known of the signatures of the present key. */
static char left[INDICES][32]; /* message that left with this index; "" none */
static unsigned cuts, signatures, losses[LOSSES], recovered;
/* At which stops something can be lost; the first pass finds out. */
static bool can_lose[256][LOSSES];

static void fresh_key(void)
{
	const struct mue_lms_params p = { 2, 24, 5, 4 };
	struct mue_error e = { 0 };
	struct mue_pubkey pub;

	snprintf(key, sizeof(key), "%s/k%u", folder, keys_made++);
	snprintf(journal, sizeof(journal), "%s.journal", key);
	snprintf(state_file, sizeof(state_file), "%s.state", key);
	if (mue_lms_signer_create(key, &p, "pass", 1000, NULL, NULL, &pub, &e) < 0)
		fail_msg("%s", e.text);
	memset(left, 0, sizeof(left));
}

/* --- the child --- */

/* Opens the key and signs one message; the signature leaves through the pipe. */
static void child(int out, const char *msg)
{
	struct mue_buf sig = { .max = MUE_SIG_MAX };
	struct mue_lms_signer *s;
	struct mue_error e;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(3);
	raise(SIGSTOP);
	if (mue_lms_signer_open(key, "pass", &s, &e) < 0 ||
	    mue_lms_signer_sign(s, msg, strlen(msg), &sig, &e) < 0) {
		fprintf(stderr, "# %s\n", e.text);
		_exit(2);
	}
	if (write(out, sig.data, sig.len) != (ssize_t)sig.len)
		_exit(4);
	mue_lms_signer_close(s);
	_exit(0);
}

/* --- the parent --- */

static const uint64_t file_calls[] = {
	SYS_write,    SYS_pwrite64, SYS_fsync,     SYS_fdatasync, SYS_renameat,
	SYS_unlinkat, SYS_openat,   SYS_ftruncate, SYS_linkat,    SYS_renameat2,
#ifdef SYS_rename
	SYS_rename,   SYS_unlink,   SYS_open,      SYS_link,
#endif
};

static bool changes_files(uint64_t nr)
{
	for (size_t i = 0; i < sizeof(file_calls) / sizeof(file_calls[0]); i++)
		if (nr == file_calls[i])
			return true;
	return false;
}

/* What a power cut could still undo, as of the last stop. */
struct unsynced {
	struct mue_buf state_before; /* the state file before the run */
	off_t synced;                /* bytes of the journal that a sync covers */
	bool renamed;                /* the state was renamed, its folder not yet synced */
	ino_t state_ino;
};

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void begin_watch(struct unsynced *u)
{
	*u = (struct unsynced){ .state_before = { .max = 4096 } };
	assert_int_equal(mue_file_read(state_file, &u->state_before, NULL), 0);
	u->synced = size_of(journal);
	u->state_ino = inode_of(state_file);
}

/* What the child's descriptor is. */
static void name_of(pid_t pid, uint64_t fd, char ret[128])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%llu", (int)pid, (unsigned long long)fd);
	n = readlink(link, ret, 127);
	ret[n > 0 ? n : 0] = 0;
}

/* Called at the exit of a call: what became durable, what is new. */
static void watch(struct unsynced *u, uint64_t nr, const char *file)
{
	ino_t ino = inode_of(state_file);

	if (nr == SYS_fdatasync || nr == SYS_fsync) {
		if (strcmp(file, journal) == 0)
			u->synced = size_of(journal);
		if (strcmp(file, folder) == 0)
			u->renamed = false;
	}
	if (ino != u->state_ino) {
		u->state_ino = ino;
		u->renamed = true;
	}
}

/* The disk after the cut.  False: this kind of loss has nothing to lose here. */
static bool lose(const struct unsynced *u, enum loss loss)
{
	off_t now = size_of(journal), tail = now - u->synced;
	uint8_t zeros[256] = { 0 };
	int fd;

	if (loss == KEEP)
		return true;
	if (loss == RENAME_LOST) {
		if (!u->renamed)
			return false;
		return mue_file_write(state_file, u->state_before.data, u->state_before.len, 0600,
				      NULL) == 0;
	}
	if (tail <= 0 || tail > (off_t)sizeof(zeros))
		return false;
	assert_int_equal(truncate(journal, u->synced + (loss == TAIL_TORN ? tail / 2 : 0)), 0);
	if (loss == TAIL_ZERO) {
		fd = mue_file_append_open(journal, 0600, NULL);
		assert_int_equal(mue_file_append(fd, zeros, (size_t)tail, NULL), 0);
		mue_fd_close(&fd);
	}
	return true;
}

/* Lets the child run to its stop number `at` and kills it there.  False: it ended before. */
static bool run_to(pid_t pid, uint32_t at, struct unsynced *u)
{
	struct __ptrace_syscall_info info;
	char file[128] = "";
	uint64_t nr = 0;
	uint32_t stop = 0;
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			nr = info.entry.nr;
			name_of(pid, info.entry.args[0], file);
		}
		if (!changes_files(nr))
			continue;
		if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			watch(u, nr, file);
		if (stop++ == at) {
			kill(pid, SIGKILL);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			return true;
		}
	}
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Notes a signature that left: its index must be new. */
static void note(const uint8_t *sig, size_t len, const char *msg)
{
	/* HSS of two levels: 4 bytes, an LMS signature of M24 H5 W4, its key of 48 bytes. */
	const size_t second = 4 + 12 + 24 * (1 + 51 + 5) + 48;
	uint32_t index;

	assert_int_equal(len, second + 12 + 24 * (1 + 51 + 5));
	index = get32(sig + 4) * 32 + get32(sig + second);
	assert_true(index < INDICES);
	if (left[index][0])
		fail_msg("index %u signed \"%s\" and \"%s\"", index, left[index], msg);
	snprintf(left[index], sizeof(left[index]), "%s", msg);
	signatures++;
}

/* One signer, cut at stop `at`; the disk then loses what it can.  False: it finished. */
static bool run(uint32_t at, enum loss loss)
{
	uint8_t sig[8192];
	struct unsynced u;
	char msg[32];
	ssize_t n;
	bool cut;
	int out[2];
	pid_t pid;

	snprintf(msg, sizeof(msg), "message %u", message_number++);
	begin_watch(&u);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(out[1], msg);
	cut = run_to(pid, at, &u);
	close(out[1]);
	n = read(out[0], sig, sizeof(sig));
	close(out[0]);
	if (n > 0)
		note(sig, (size_t)n, msg);
	if (cut) {
		cuts++;
		/* A signature that left must not be undone by a loss: then all was synced before.
		 */
		losses[loss] += lose(&u, loss);
		can_lose[at & 255][RENAME_LOST] |= u.renamed;
		can_lose[at & 255][TAIL_LOST] |= size_of(journal) > u.synced;
	}
	mue_buf_free(&u.state_before);
	return cut;
}

/* Everything that left stands in the journal with its message's digest. */
static void journal_tells_all(void)
{
	struct mue_buf b = { .max = 1 << 20 };
	char want[128], hex[65];

	assert_int_equal(mue_file_read(journal, &b, NULL), 0);
	for (unsigned i = 0; i < INDICES; i++) {
		uint8_t d[32];

		if (!left[i][0])
			continue;
		mue_hash_sha256(left[i], strlen(left[i]), d);
		snprintf(want, sizeof(want), "\nsign %013u %s ", i, mue_hex(d, 32, hex));
		assert_non_null(strstr(mue_buf_str(&b), want));
	}
	mue_buf_free(&b);
}

static uint32_t stops_of_a_run(void)
{
	uint32_t at = 0;

	while (run(at, KEEP)) {
		at++;
		assert_false(run(NEVER, KEEP)); /* a later signature still succeeds */
		recovered++;
	}
	return at;
}

static void no_cut_makes_an_index_leave_twice(void **state)
{
	unsigned seed = 1;
	uint32_t stops;

	(void)state;
	fresh_key();
	assert_false(run(NEVER, KEEP));
	stops = stops_of_a_run();
	assert_in_range(stops, 16, 200);
	for (uint32_t at = 0; at < stops; at++) {
		for (enum loss loss = KEEP; loss < LOSSES; loss++) {
			bool tail = loss == TAIL_LOST || loss == TAIL_TORN || loss == TAIL_ZERO;
			struct mue_lms_signer *s;
			struct mue_error e;

			if (loss != KEEP && !can_lose[at][tail ? TAIL_LOST : loss])
				continue;
			run(at, loss);
			/* Cut again during the recovery and the signature after it. */
			seed = seed * 1103515245u + 12345u;
			run(seed >> 16 & 31, (enum loss)((seed >> 8) % LOSSES));
			assert_false(run(NEVER, KEEP));
			recovered++;
			if (mue_lms_signer_open(key, "pass", &s, &e) < 0)
				fail_msg("%s", e.text);
			if (mue_lms_signer_remaining(s) < 16) {
				journal_tells_all();
				fresh_key();
			}
			mue_lms_signer_close(s);
		}
	}
	journal_tells_all();
	print_message("# FIGURE lms signer: %u stops in a run; %u cuts; losses: %u tails, %u torn, "
		      "%u zeroed, %u "
		      "renames; %u recoveries; %u signatures, no index twice\n",
		      stops, cuts, losses[TAIL_LOST], losses[TAIL_TORN], losses[TAIL_ZERO],
		      losses[RENAME_LOST], recovered, signatures);
	assert_true(cuts >= 90);
	for (enum loss loss = TAIL_LOST; loss < LOSSES; loss++)
		assert_true(losses[loss] >= 2);
	assert_true(signatures >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cut_makes_an_index_leave_twice),
	};

	return cmocka_run_group_tests_name("lms cuts", tests, make_folder, remove_folder);
}
