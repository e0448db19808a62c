import json
from collections import defaultdict
import pytest
from django.apps import apps
from django.db import transaction
from django.urls import get_resolver, reverse, URLResolver
from django.test import Client
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.identity import api as identity
from shuren.kernel import ids, clock
from shuren.kernel.data import SYSTEM
from shuren.messaging import api as messaging
from shuren.work import api as work
from shuren.intake import api as intake
from tests.cast import PASSWORD
from tests.measured import measure
import io
def test_gen(cast):
    near=measure(cast,"near","city",{"class":("school","county"),"other_class":("school","county"),"west_class":("west_school","other_county")},{"pupil":"class","classmate":"class","other_pupil":"other_class","west_pupil":"west_class"})
    far=measure(cast,"far-off","other_city",{"far_class":("far_school","far_county")},{"far_pupil":"far_class"})
    o=lambda k:cast.orgs[k].public_id
    p=lambda k:cast.people[k].public_id
    def job(owner): return ids.encode("job", work.enqueue("shuren.directory.jobs.recount",{},actor=cast.actor(owner),title="x"))
    def imp(owner): return ids.encode("import", intake.start_import(actor=cast.actor(owner),kind="roster",file_name="a.csv",content=io.BytesIO(b"a,b\n1,2\n"),now=cast.now))
    def notice(owner):
        messaging.notify(person_ids=[cast.people[owner].id],title="t",now=cast.now); return messaging.notices_of(cast.people[owner].id).rows[0].public_id
    G=apps.get_model("directory.Grant"); D=apps.get_model("directory.DuplicatePair")
    def grant(org):
        g=directory.grant_role(actor=SYSTEM,person_id=cast.people["staff" if org=="school" else "far_head"].id,role=Role.STAFF,org_id=cast.orgs[org].id,begin_at=cast.now,now=cast.now); return ids.encode("grant",g)
    def dup(a,b): return ids.encode("duplicate",D.objects.create(first_id=cast.people[a].id,second_id=cast.people[b].id,evidence={},score=.9,found_at=cast.now).pk)
    def signin(owner):
        cast.client(owner); S=apps.get_model("identity.SignIn"); return ids.encode("sign_in",S.objects.filter(account__username=cast.username(owner)).first().pk)
    objs={"org":(o("class"),o("far_class")),"person":(p("pupil"),p("far_pupil")),"assessment":(near.assessment,far.assessment),"run":(near.run,far.run),"job":(job("school_admin"),job("far_head")),"import":(imp("school_admin"),imp("far_head")),"notice":(notice("head"),notice("far_head")),"grant":(grant("school"),grant("far_school")),"dup":(dup("pupil","classmate"),dup("far_pupil","far_parent")),"sign_in":(signin("head"),signin("far_head"))}
    kinds={"directory:org":"org","directory:person":"person"}
    def names(name,params,i):
        out={}
        for q in params:
            if q in("org_id","org"): out[q]=objs["org"][i]
            elif q=="person": out[q]=objs["person"][i]
            elif q in("assessment","assessment_id"): out[q]=objs["assessment"][i]
            elif q=="run": out[q]=objs["run"][i]
            elif q=="job_id": out[q]=objs["job"][i]
            elif q=="import_id": out[q]=objs["import"][i]
            elif q=="notice_id": out[q]=objs["notice"][i]
            elif q=="sign_in_id": out[q]=objs["sign_in"][i]
            elif q=="kind_name": out[q]=("roster","results")[i]
            elif q=="form": out[q]="xlsx" if "issue" in name else "json"
            elif q=="public_id":
                app,n=name.split(":")
                k="assessment" if app=="assessment" else "grant" if n=="revoke_grant" else "dup" if "dup" in n else "person" if n in("person","correct_person","reveal_person","seen_by") else "org"
                out[q]=objs[k][i]
            else: raise KeyError((name,q))
        return out
    def walk(r,ns="",params=()):
        for x in r.url_patterns:
            ps=params+tuple(x.pattern.converters or x.pattern.regex.groupindex)
            if isinstance(x,URLResolver): yield from walk(x,ns+(x.namespace+":" if x.namespace else ""),ps)
            else: yield ns+str(x.name),ps
    clients={r.value:cast.client(r.value) for r in Role}
    out={}
    for name,params in walk(get_resolver()):
        for method in("GET","POST"):
            for i in (0,1) if params else (0,):
                url=reverse(name,kwargs=names(name,params,i))
                got=defaultdict(list)
                for r,c in clients.items():
                    c.raise_request_exception=False
                    cookies={k:m.value for k,m in c.cookies.items()}
                    try:
                        with transaction.atomic():
                            s=getattr(c,method.lower())(url).status_code
                            transaction.set_rollback(True)
                    except Exception as e: s=repr(e)[:60]
                    c.cookies.clear()
                    for k,v in cookies.items(): c.cookies[k]=v
                    got[s].append(r)
                an=Client().get(url).status_code
                out[f"{method} {name} {'near far'.split()[i] if params else ''}"]={str(k):v for k,v in got.items()}|{"anon":an}
    json.dump(out,open("/tmp/matrix.json","w"),ensure_ascii=False,indent=0)
