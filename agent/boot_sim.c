/* mue-boot-sim: the simulated machine.  See agent/boot_sim.h and ARCHITECTURE.md. */
#include "agent/boot_sim.h"

#include "core/bootstate.h"
#include "host/bootname.h"
#include "host/file.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE     2
#define EXIT_RECOVERY  3
#define CRASH_PAUSE_MS 100 /* times the crashes in a row, at most 20 */

static const char usage[] =
	"usage: mue-boot-sim --state FILE --slot-a IMG --slot-b IMG --envelopes DIR --trust DIR\n"
	"                    --root DIR [--once] -- AGENT ARGS...\n"
	"\n"
	"The simulated machine: reads the boot state, decides which slot boots, verifies that "
	"slot's\n"
	"envelope (DIR/a.suit, DIR/b.suit) and image itself, unpacks the squashfs under --root, "
	"starts\n"
	"its /init in there and the agent beside it, and boots again when the agent exits with "
	"75.\n"
	"An agent that exits with 70 is started again without a boot, after a pause that doubles.\n"
	"\n"
	"  --state FILE      boot state, made when missing\n"
	"  --slot-a IMG      image file or block device of slot A; --slot-b likewise\n"
	"  --envelopes DIR   holds a.suit and b.suit\n"
	"  --trust DIR       public keys (*.pub) that may sign an image\n"
	"  --root DIR        where the system is unpacked (DIR/system is emptied at each boot)\n"
	"  --once            one boot; the exit code is the agent's\n"
	"\n"
	"Prints one line a boot: boot slot=a seq=5 reason=trial tries=2\n"
	"Environment of init and agent: MUE_BOOT_SLOT, MUE_BOOT_REASON, MUE_BOOT_SEQUENCE,\n"
	"MUE_BOOT_ROOT.  Exit code: the agent's; 0 on SIGTERM; 2 usage; 3 nothing boots.\n";

static int parse(int argc, char **argv, struct mue_boot_sim *m)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 's' },
		{ "slot-a", required_argument, NULL, 'a' },
		{ "slot-b", required_argument, NULL, 'b' },
		{ "envelopes", required_argument, NULL, 'e' },
		{ "trust", required_argument, NULL, 't' },
		{ "root", required_argument, NULL, 'r' },
		{ "once", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char **text[128] = {
		['s'] = &m->state,     ['a'] = &m->slot[0],      ['b'] = &m->slot[1],
		['e'] = &m->envelopes, ['t'] = &m->trust_folder, ['r'] = &m->root
	};
	int c;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (c == 'o') {
			m->once = true;
		} else if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		} else if (c == '?') {
			return -1;
		} else {
			*text[c] = optarg;
		}
	}
	m->agent = argv + optind;
	if (m->state && m->slot[0] && m->slot[1] && m->envelopes && m->trust_folder && m->root &&
	    *m->agent)
		return 0;
	fputs("mue-boot-sim: an option or the agent is missing\n", stderr);
	return -1;
}

static void pause_ms(unsigned ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/* True when SIGTERM or SIGINT waits. */
static bool told_to_stop(void)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, SIGTERM) || sigismember(&set, SIGINT);
}

/* One boot.  0: boot again; 1: leave with *code. */
static int boot(const struct mue_boot_sim *m, unsigned *crashes, int *code, struct mue_error *e)
{
	struct mue_boot_sim_boot b;
	int r = mue_boot_sim_choose(m, &b, e);

	*code = EXIT_RECOVERY;
	if (r < 0)
		return 1;
	if (b.image >= 0) {
		r = mue_boot_sim_unpack(m, b.image, e);
		close(b.image);
		if (r < 0)
			return mue_boot_sim_refuse(m, b.slot, r, e) < 0;
	}
	printf("boot slot=%s seq=%llu reason=%s tries=%u\n", mue_slot_name(b.slot),
	       (unsigned long long)b.sequence, mue_boot_reason_name(b.reason), b.tries);
	fflush(stdout);
	if (b.slot == MUE_SLOT_RECOVERY) {
		mue_fail(e, MUE_ENODATA, "nothing boots; remedy: write a signed image to a slot");
		return 1;
	}
	e->code = 0; /* what was refused on the way is logged already */
	switch (mue_boot_sim_run(m, &b, code)) {
	case MUE_BOOT_SIM_REBOOTS:
		*crashes = 0;
		break;
	case MUE_BOOT_SIM_CRASHED:
		*code = 1;
		*crashes += *crashes < 20;
		break;
	case MUE_BOOT_SIM_ENDED:
		return 1;
	}
	if (told_to_stop()) {
		*code = 0;
		return 1;
	}
	return m->once;
}

int main(int argc, char **argv)
{
	struct mue_boot_sim m = { 0 };
	struct mue_error e = { 0 };
	unsigned crashes = 0;
	sigset_t set;
	int code;

	if (parse(argc, argv, &m) < 0) {
		fputs("try: mue-boot-sim --help\n", stderr);
		return EXIT_USAGE;
	}
	if (mue_trust_load(m.trust_folder, &m.trust, &e) < 0 ||
	    mue_file_mkdirs(m.root, 0755, &e) < 0) {
		fprintf(stderr, "mue-boot-sim: %s\n", e.text);
		return EXIT_USAGE;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (!boot(&m, &crashes, &code, &e))
		pause_ms(CRASH_PAUSE_MS * crashes);
	if (e.code)
		fprintf(stderr, "mue-boot-sim: %s\n", e.text);
	mue_trust_free(&m.trust);
	return code;
}
