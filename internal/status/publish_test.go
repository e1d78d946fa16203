package status

import (
	"testing"
	"time"
)

func TestPublishAfterConfirm(t *testing.T) {
	cat := one(Rule{})
	cat.Components[0].Publish, cat.Components[0].PublishAfter = PublishAfterConfirm, time.Minute
	r := newRig(t, cat)
	r.play("m", "gff")
	r.want(Observed, "web", "ok@0 down@10")
	r.want(Published, "web", "ok@0")
	r.e.confirm(r.e.ids["web"])
	r.want(Published, "web", "ok@0 down@10")
	r.play("m", "gg") // the end of trouble needs nobody
	r.want(Published, "web", "ok@0 down@10 ok@30")
	r.play("m", "ffgg") // over before anybody looked: the page never moved
	r.want(Published, "web", "ok@0 down@10 ok@30")
	r.want(Observed, "web", "ok@0 down@10 ok@30 down@50 ok@70")
	r.play("m", "fffffffff") // nobody confirms within a minute: dated back
	r.want(Published, "web", "ok@0 down@10 ok@30 down@90")
}

func TestPublishManual(t *testing.T) {
	cat := one(Rule{})
	cat.Components[0].Publish = PublishManual
	r := newRig(t, cat)
	r.play("m", "gff")
	r.pass(20 * time.Minute)
	r.want(Published, "web", "ok@0 ?@30")
	r.play("m", "fg")
	r.e.confirm(r.e.ids["web"])
	r.line(Published, "web")
	if open := r.e.ids["web"].page.ledger.open(); open.Status != MajorOutage {
		t.Fatalf("after confirm the page says %s", open.Status)
	}
	r.play("m", "ggg")
	if open := r.e.ids["web"].page.ledger.open(); open.Status != MajorOutage {
		t.Errorf("the machine moved a manual page to %s", open.Status)
	}
	r.e.confirm(r.e.ids["web"])
	if open := r.e.ids["web"].page.ledger.open(); open.Status != Operational {
		t.Errorf("after the second confirm the page says %s", open.Status)
	}
	r.line(Published, "web")
}

func TestMaintenanceOverMachine(t *testing.T) {
	r := newRig(t, one(Rule{}))
	web := r.e.ids["web"]
	r.play("m", "gg")
	r.e.maintain(web, "maintenance/w-1", at(20))
	r.play("m", "ff") // 20, 30
	r.want(Observed, "web", "ok@0 down@20")
	r.want(Published, "web", "ok@0 work@20")
	r.e.reopen(web, "maintenance/w-1", at(40))
	r.want(Published, "web", "ok@0 work@20 down@40")
	r.play("m", "fgg") // good from 50 on
	r.want(Published, "web", "ok@0 work@20 down@40 ok@50")
}
