/* After a boot: prove the new image or go back, and tell what became of the last action. */
#include "agent/health.h"
#include "agent/install.h"

#include "core/bootstate.h"
#include "host/bootname.h"
#include "host/log.h"

#include <stdio.h>
#include <string.h>

static bool on_trial(const struct mue_install *in, const struct mue_boot_view *v)
{
	return v->trial == in->running && v->begun;
}

void mue_trial_check(struct mue_install *in)
{
	struct mue_boot_view v;
	struct mue_error e = { 0 };

	if (in->boot.ops->view(&in->boot, &v, &e) < 0 || !on_trial(in, &v))
		return;
	mue_log(MUE_LOG_INFO, "trial.begin", "slot", mue_install_slot_name(in->running), "version",
		in->device.running.version, NULL);
	if (mue_health_run(in->c->health, (uint32_t)in->c->health_timeout_s, &in->health) < 0)
		mue_log(MUE_LOG_ERROR, "trial.unhealthy", "why", in->health.text, NULL);
}

static int send_attribute(struct mue_install *in, const char *name, const char *text,
			  struct mue_error *e)
{
	struct mue_ipc_msg m;

	mue_ipc_make(&m, MUE_IPC_ATTRIBUTE, NULL);
	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(m.text, sizeof(m.text), "%s", text);
	return mue_ipc_send(in->sock, &m, NULL, 0, e);
}

static int send_attributes(struct mue_install *in, struct mue_error *e)
{
	const struct mue_device *d = &in->device;
	char sequence[24], counter[24], digest[65] = "";
	const char *const pairs[][2] = {
		{ "mue.version", d->running.version },
		{ "mue.sequence", sequence },
		{ "mue.manifest", digest },
		{ "mue.slot", mue_install_slot_name(in->running) },
		{ "mue.vendor", in->c->vendor },
		{ "mue.class", in->c->class_ },
		{ "mue.counter", counter },
		{ "mue.boot", in->reason },
	};
	int r = 0;

	snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)d->running.sequence);
	snprintf(counter, sizeof(counter), "%u", d->floor);
	if (d->known)
		mue_hex(d->running.digest, 32, digest);
	for (size_t i = 0; r == 0 && i < sizeof(pairs) / sizeof(pairs[0]); i++)
		r = send_attribute(in, pairs[i][0], pairs[i][1], e);
	return r;
}

/* Asks fetch whether the server can be reached.  Its word can only make us revert. */
static int reach(struct mue_install *in, struct mue_error *why, struct mue_error *e)
{
	struct mue_ipc_msg m;
	int r;

	mue_ipc_make(&m, MUE_IPC_PROVE, NULL);
	r = mue_ipc_send(in->sock, &m, NULL, 0, e);
	if (r == 0)
		r = mue_ipc_recv(in->sock, &m, NULL, NULL,
				 (int)(in->c->health_timeout_s * 1000 + 60000), e);
	if (r == 0 && m.type != MUE_IPC_REACHED)
		r = mue_fail(e, MUE_EPROTOCOL, "fetch answers PROVE with %u", m.type);
	if (r == 0 && m.verdict < 0)
		mue_fail(why, MUE_EHEALTH, "cannot reach the server: %.200s", m.text);
	return r;
}

static int finish(struct mue_install *in, enum mue_report_kind kind, int code, const char *text,
		  struct mue_error *e)
{
	int r = mue_install_report(in, kind, code, text, e);

	if (r == 0)
		r = mue_action_clear(in->c->state, e);
	if (r == 0)
		memset(&in->action, 0, sizeof(in->action));
	return r;
}

static int confirmed(struct mue_install *in, struct mue_error *e)
{
	char text[200];

	snprintf(text, sizeof(text), "%s runs in slot %s and is confirmed",
		 in->device.running.version, mue_install_slot_name(in->running));
	mue_log(MUE_LOG_INFO, "trial.confirmed", "slot", mue_install_slot_name(in->running),
		"version", in->device.running.version, NULL);
	return finish(in, MUE_REPORT_SUCCESS, 0, text, e);
}

/* The trial failed its checks: the old slot must boot, and say so afterwards. */
static int go_back(struct mue_install *in, const struct mue_error *why, struct mue_error *e)
{
	char text[MUE_IPC_TEXT];
	int r;

	in->action.phase = MUE_ACTION_REVERTED;
	in->action.slot = in->running;
	in->action.verdict = why->code;
	in->action.reboots = 1;
	snprintf(in->action.text, sizeof(in->action.text), "%s", why->text);
	r = mue_action_store(in->c->state, &in->action, e);
	if (r == 0)
		r = in->boot.ops->revert(&in->boot, why->code, e);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%s: %.300s; going back to slot %s", mue_err_name(why->code),
		 why->text, mue_install_slot_name(in->device.slot));
	r = mue_install_report(in, MUE_REPORT_PROCEEDING, why->code, text, e);
	return r < 0 ? r : MUE_INSTALL_REBOOT;
}

/* We run from the slot on trial. */
static int decide(struct mue_install *in, struct mue_error *e)
{
	struct mue_error why = in->health;
	struct mue_boot_view v;
	char text[200];
	int r;

	snprintf(text, sizeof(text), "%s booted in slot %s, on trial", in->device.running.version,
		 mue_install_slot_name(in->running));
	r = mue_install_report(in, MUE_REPORT_PROCEEDING, 0, text, e);
	if (r == 0 && !why.code)
		r = reach(in, &why, e);
	if (r < 0)
		return r; /* fetch is gone: nothing is decided, a restart tries again */
	if (why.code)
		return go_back(in, &why, e);
	r = in->boot.ops->confirm(&in->boot, in->running, e);
	if (r == 0)
		r = in->boot.ops->view(&in->boot, &v, e);
	if (r < 0)
		return r;
	in->device.floor = v.counter;
	snprintf(in->reason, sizeof(in->reason), "%s", mue_boot_reason_name(v.reason));
	return confirmed(in, e);
}

/* The old slot runs although a trial was asked for: what happened? */
static int failed_trial(struct mue_install *in, const struct mue_boot_view *v, struct mue_error *e)
{
	const struct mue_action *a = &in->action;
	int code = a->verdict ? a->verdict : v->verdict ? v->verdict : MUE_EREVERTED;
	char text[MUE_IPC_TEXT];

	snprintf(text, sizeof(text), "%s: %.260s; slot %s was given up (%s), %s runs in slot %s",
		 mue_err_name(code), *a->text ? a->text : mue_err_text(code),
		 mue_install_slot_name(a->slot), mue_boot_reason_name(v->reason),
		 in->device.running.version, mue_install_slot_name(in->running));
	return finish(in, MUE_REPORT_FAILURE, code, text, e);
}

/* A reboot that was asked for and did not happen is asked for again, but not for ever. */
static int again(struct mue_install *in, const struct mue_boot_view *v, struct mue_error *e)
{
	int r;

	if (in->action.reboots > in->c->tries) {
		struct mue_error ignored;

		if (!v->begun)
			(void)in->boot.ops->drop_trial(&in->boot, &ignored);
		snprintf(in->action.text, sizeof(in->action.text),
			 "the loader does not boot slot %s",
			 mue_install_slot_name(in->action.slot));
		return failed_trial(in, v, e);
	}
	in->action.reboots++;
	r = mue_action_store(in->c->state, &in->action, e);
	return r < 0 ? r : MUE_INSTALL_REBOOT;
}

static int settle(struct mue_install *in, const struct mue_boot_view *v, struct mue_error *e)
{
	struct mue_action *a = &in->action;

	if (on_trial(in, v))
		return decide(in, e);
	switch (a->phase) {
	case MUE_ACTION_TRIAL:
		if (in->running == a->slot)
			return confirmed(in, e); /* ended between confirm and report */
		if (v->trial == a->slot)
			return again(in, v, e);
		if (v->reason == MUE_BOOT_WRITING)
			return 0; /* ended before the trial was asked for: the server offers again
				   */
		return failed_trial(in, v, e);
	case MUE_ACTION_REVERTED:
		return in->running == a->slot ? again(in, v, e) : failed_trial(in, v, e);
	case MUE_ACTION_NONE:
	case MUE_ACTION_WRITING:
	default:
		return 0;
	}
}

int mue_trial_settle(struct mue_install *in, struct mue_error *e)
{
	struct mue_boot_view v;
	struct mue_ipc_msg idle;
	int r = in->boot.ops->view(&in->boot, &v, e);

	if (r == 0)
		r = settle(in, &v, e);
	if (r == 0)
		r = send_attributes(in, e);
	if (r)
		return r;
	mue_ipc_make(&idle, MUE_IPC_IDLE, NULL);
	return mue_ipc_send(in->sock, &idle, NULL, 0, e);
}
