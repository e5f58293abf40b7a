import os, random, subprocess, sys, time, io
from pathlib import Path
from openpyxl import Workbook
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from stdnum.cn import ric
from datetime import date, timedelta
from chassis import migrate
from tests.integration.residents.importing import Importing, counts
from tests.integration.residents.world import World, COMMUNITY

WORK = """
import resource, sys, time
from pathlib import Path
from sqlalchemy import create_engine
from services.residents.importer import Importer
from tests.integration.residents.world import VAULT
def peak():
    (line,) = (l for l in Path("/proc/self/status").open() if l.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
before = peak(); t = time.perf_counter()
engine = create_engine(sys.argv[1], pool_size=1)
Importer(engine, VAULT).work()
print("FIFTY wall %.1f cpu %.1f peak %d MB (before %d)" % (time.perf_counter() - t, time.process_time(), peak(), before))
"""

def test_fifty(postgres):
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    engine = create_engine(urls["app_url"])
    buildings = [f"{COMMUNITY}.e{n // 20 + 1}.g{n // 10 + 1}.b{n + 1}" for n in range(500)]
    with Session(engine) as s, s.begin():
        w = World(s)
        parts = []
        for b in buildings:
            e, g, bb = b.split(".")[1:]
            for part in (e, f"{e}.{g}", f"{e}.{g}.{bb}"):
                if part not in parts: parts.append(part)
        w.add_community(*parts)
    doors = [(b, f"{d // 4 + 1}0{d % 4 + 1}") for b in buildings for d in range(36)]
    hh = "area,door,tenure,from\n" + "".join(f"{b},{d},owned,2025-09-01\n" for b, d in doors)
    def idn(n):
        born = date(1938, 1, 1) + timedelta(days=n // 1000 * 300 % 20000)
        body = f"340603{born:%Y%m%d}{n % 1000:03d}"
        return body + str(ric.calc_check_digit(body + "0"))
    rel = ("户主", "配偶", "子女")
    rows = [("姓名", "手机号", "身份证号", "区域代码", "门牌号", "与户主关系", "入住日期", "地址")]
    for n in range(50_000):
        b, d = doors[n // 3]
        rows.append((f"王小{chr(0x4e00 + n % 5000)}", f"139{n:08d}" if n % 3 < 2 else "", idn(n), b, d, rel[n % 3], "2025-09-01", f"{n}号"))
    csv = "\n".join(",".join(r) for r in rows)
    book = Workbook(write_only=True); sheet = book.create_sheet()
    for r in rows: sheet.append(r)
    out = io.BytesIO(); book.save(out)
    for kind, content in (("households", hh.encode()), ("residents", csv.encode()), ("residents", out.getvalue())):
        imp = Importing(engine, kind)
        size = len(content)
        begun = imp.begin(content, parts=max(1, size // 1000000 + 1))
        print("FIFTY", kind, size, "load", os.getloadavg())
        done = subprocess.run([sys.executable, "-c", WORK, urls["app_url"]], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."})
        print([l for l in done.stdout.splitlines() if "FIFTY" in l], done.stderr[-500:])
        found = imp.get(begun["id"])
        print("FIFTY", counts(found), found["state"], found["errors"][:3], "load", os.getloadavg())
