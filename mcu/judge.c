#include "mcu/judge.h"

#include "core/err.h"
#include "core/mem.h"

/* A source over flash that feeds the watchdog. */
struct window {
	const struct mue_mcu_device *d;
	const struct mue_flash *f;
	uint32_t off;
};

static int read_window(const struct mue_lms_source *s, uint32_t off, void *buf, uint8_t len)
{
	const struct window *w = s->ctx;

	if (w->d->ops->kick)
		w->d->ops->kick(w->d->ctx);
	return w->f->ops->read(w->f, w->off + off, buf, len);
}

int mue_judge_manifest(const struct mue_mcu_device *d, uint16_t envelope, uint8_t target,
		       struct mue_suit_p0 *ret)
{
	struct window w = { d, d->stage.data, d->stage.off };
	struct mue_lms_source source = { read_window, NULL, envelope };
	int e;

	source.ctx = &w;
	e = mue_suit_p0_open(&source, d->verifier, ret);
	if (e < 0)
		return e;
	if (memcmp(ret->vendor, d->vendor, 16))
		return MUE_EVENDOR;
	if (memcmp(ret->class_id, d->class_id, 16))
		return MUE_ECLASS;
	if (ret->slot != MUE_SUIT_P0_ANY ? ret->slot != target : d->addressed)
		return MUE_EADDRESS;
	if (!ret->size || ret->size > d->footer ||
	    envelope > d->slot[target]->size - d->footer - MUE_MCU_FOOTER_HEAD)
		return MUE_ESIZE;
	return MUE_OK;
}

int mue_judge_release(const struct mue_suit_p0 *p0, const struct mue_bootstate *s,
		      uint32_t sequence)
{
	if (p0->sequence <= sequence)
		return MUE_EOLD;
	if (p0->counter < s->counter)
		return MUE_ECOUNTER;
	if (p0->counter > MUE_BOOTSTATE_LAST)
		return MUE_EEXHAUSTED;
	return MUE_OK;
}

static int taken(const struct mue_verifier *v, const struct mue_cose_id *id,
		 const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	(void)v;
	(void)id;
	(void)tbs;
	(void)sig;
	return MUE_OK;
}

int mue_judge_footer(const struct mue_mcu_device *d, uint8_t slot, struct mue_suit_p0 *ret)
{
	static const struct mue_verifier_ops ops = { taken };
	static const struct mue_verifier v = { &ops, NULL };
	const struct mue_flash *f = d->slot[slot];
	struct window w = { d, f, d->footer + MUE_MCU_FOOTER_HEAD };
	struct mue_lms_source source = { read_window, NULL, 0 };
	uint8_t head[MUE_MCU_FOOTER_HEAD];
	int e = f->ops->read(f, d->footer, head, sizeof(head));

	if (e < 0)
		return e;
	source.ctx = &w;
	source.size = (uint16_t)(head[0] | head[1] << 8);
	if (source.size > f->size - w.off)
		return MUE_ENODATA;
	return mue_suit_p0_open(&source, &v, ret);
}
