"""What each key of a policy means, in English and Chinese: the words of the reference and of editors' hints.

By struct and field; what guards, routes and overlays share stands under `Rule`. A test sees that no key is without.
"""

MEANINGS: dict[str, dict[str, tuple[str, str]]] = {
    "Header": {
        "name": ("what the policy is called", "政策名称"),
        "version": ("for people; the identity is the sha256", "供人识读的版本号；真正的标识是 sha256"),
        "timezone": ("the one zone in which days and hours are meant", "全部日期和时刻所用的唯一时区"),
        "modes": ("the modes there are, the ordinary one first", "运行模式，平时模式写在最前"),
        "grid_levels": ("names of the grid's levels, the widest first", "网格各级名称，最大的一级写在最前"),
        "include": ("the files that belong to it; `*` stays inside one folder", "所含文件；`*` 只匹配同一文件夹内"),
        "fallback": ("who takes what no route takes; exactly one", "无任何派遣规则适用时由谁承接；有且只有一个"),
        "reasons": (
            "the codes people choose when they return, hold, extend, void …; kinds of whistles, bodies referred to",
            "退单、挂账、延期、作废等时可选的原因，以及哨的种类、可转送的单位",
        ),
        "requires": ("what it needs of things outside, such as the grid's version", "对外部的要求，例如网格版本"),
        "whistle_attend": (
            "how soon whoever a whistle calls must be on site, unless an overlay says it; 1h when not given",
            "被吹哨单位须多久以内到场，叠加规则另有规定的除外；不写为 1h",
        ),
    },
    "Fallback": {
        "lead": ("the department that reads them", "承接部门"),
        "sla": ("its deadlines", "适用时限"),
        "ladder": ("its escalation", "适用升级阶梯"),
        "reason": ("shown to people as it stands", "原样展示给人看的依据"),
    },
    "Reason": {
        "code": ("the code", "代码"),
        "zh": ("in Chinese", "中文"),
        "en": ("in English", "英文"),
    },
    "ReasonKind": {
        "kind": (
            "what the reason is for; codes of `whistle` are kinds of whistles, those of `refer` the bodies referred to",
            "用于何事；`whistle` 的代码是哨的种类，`refer` 的代码是可转送的单位",
        ),
        "codes": ("its codes", "该种类的代码"),
    },
    "Requirement": {
        "name": ("`grid` or `dispatcher`", "`grid` 或 `dispatcher`"),
        "spec": ('comparisons such as ">=2026.10"', '比较式，例如 ">=2026.10"'),
    },
    "Department": {
        "code": ("the code that orders and topics carry", "派单和主题所用的代码"),
        "zh": ("name in Chinese", "中文名称"),
        "en": ("name in English", "英文名称"),
        "group": ("the working group it belongs to", "所属工作组"),
        "level": (
            "the level of the grid it works at, or `city`; it holds there what it leads, unless rules say otherwise",
            "所在网格级别，或 `city`；其主办的案件由该级负责，规则另有规定的除外",
        ),
        "units": (
            "`from_grid`: one office per cell of its level, named `department@level`",
            "`from_grid`：该级每个网格各有一个单位，写作 `部门@级别`",
        ),
    },
    "CategoryEntry": {
        "code": (
            'segments joined by dots, quoted: "09.20"; what it does not say it inherits from "09"',
            '以点分段并加引号："09.20"；未写明的从 "09" 继承',
        ),
        "zh": ("name in Chinese", "中文名称"),
        "en": ("name in English", "英文名称"),
        "aliases": ("other words reports use for it", "上报中可能出现的其他说法"),
        "standard_ref": ("the code of a standard this class is taken from", "所依据标准中的代码"),
        "kind": ("`event`, `component` or a word of yours", "`event`、`component` 或自定"),
        "severity": ("1 (worst) to 4 when a report claims none", "上报未写明时的等级，1 最重，4 最轻"),
        "severity_cap": ("the worst a report may claim", "上报可申报的最重等级"),
        "life_safety": ("dispatched at once, verified meanwhile", "涉及生命安全：先派遣，同时核实"),
        "evidence": ("what `done` must bring, such as `photo`", "反馈完成时必须附上的材料，例如 `photo`"),
        "public": ("whether anyone may see it", "是否可公开"),
        "self_handled": ("a grid officer may settle it on the spot", "网格员可当场自行处置"),
        "standards": ("the filing standards; the condition found chooses the limit", "立案标准；核实到的情形决定时限"),
    },
    "Standard": {
        "code": ("its code within the category", "在该类别内的代码"),
        "zh": ("the condition, in Chinese", "情形（中文）"),
        "en": ("the condition, in English", "情形（英文）"),
        "limit": ("the handling limit", "处置时限"),
        "close": ("what closes it", "结案条件"),
        "calendar": ("the calendar the limit runs in, when not the SLA's", "时限所用日历；不写则用 SLA 的日历"),
    },
    "Source": {
        "code": ("the source's code, as reports carry it", "来源代码，与上报一致"),
        "zh": ("name in Chinese", "中文名称"),
        "en": ("name in English", "英文名称"),
        "platform": ("`satellite`, `air`, `ground`, `people`", "天 `satellite`、空 `air`、地 `ground`、人 `people`"),
        "verify": ("whether its reports are verified before they are filed", "立案前是否须先核实"),
        "severity_cap": ("the worst it may claim", "可申报的最重等级"),
        "extend_promised": (
            "its promised date may extend the deadline, up to a limit",
            "来源承诺的日期可以顺延时限，设上限",
        ),
        "strict_place": ("a device: reject what has no place in the grid", "设备来源：不在网格内的上报予以拒收"),
        "strict_category": ("a device: reject unknown categories", "设备来源：类别不明的上报予以拒收"),
        "people": (
            "whether people speak here; by default when the platform is `people`",
            "是否由人上报；平台为 `people` 时默认是",
        ),
    },
    "Verify": {
        "always": ("every report", "每一件都核实"),
        "below_confidence": (
            "only those below this confidence, and those without one",
            "只核实置信度低于此值或没有置信度的",
        ),
    },
    "Extend": {"max": ("at most so long after opening", "最多到立案后多久")},
    "MergeRule": {
        "category": ("the category it is for, with everything below it", "适用类别，含其下级"),
        "radius_m": ("how near, in metres", "相距多少米以内"),
        "gap": ("how long after the last report", "与上一件相隔多久以内"),
        "life": ("how long after the first report", "与第一件相隔多久以内"),
        "mode": ("`suggest` to a person, or `auto`", "`suggest` 提示人工合并，或 `auto` 自动合并"),
        "same": ("`asset`: the same thing, wherever it is reported", "`asset`：同一部件即为同一案件"),
    },
    "CalendarEntry": {
        "name": ("what budgets and rules call it", "时限和规则引用的名称"),
        "hours": ("open hours by type of day", "各类日子的工作时段"),
        "days": ("who knows the public holidays", "法定节假日由谁提供"),
        "hours_per_working_day": ("what one `wd` is worth", "一个工作日 `wd` 折合多少小时"),
        "overrides": ('single days, quoted: "2026-11-09": restday', '个别日期，加引号："2026-11-09": restday'),
        "seasons": (
            'open only between these days of the year: "03-01..05-15"',
            '仅在每年这些日期之间开放："03-01..05-15"',
        ),
    },
    "HoursEntry": {
        "day": ("type of day; `all` for every type not stated", "日子类型；`all` 指其余各类"),
        "windows": ('"08:30-12:00"; may cross midnight', '"08:30-12:00"；可跨午夜'),
    },
    "Provider": {
        "provider": ("the package that knows them", "提供节假日数据的软件包"),
        "country": ("two letters, such as CN", "国家代码，例如 CN"),
        "region": ("a region of it", "地区代码"),
    },
    "Override": {"date": ("the day", "日期"), "day": ("what it is", "当天的类型")},
    "SlaEntry": {
        "name": ("what routes call it", "派遣规则引用的名称"),
        "calendar": (
            "the calendar its working units run in; `always` never closes",
            "工作时单位所用日历；`always` 表示全天候",
        ),
        "targets": ("what is promised", "各项时限"),
        "warn": ("percentages of a budget at which a warning goes out", "用去时限的百分之几时预警"),
        "return_within": ("until when a department may say `not ours`", "多久以内可以退单"),
        "verify_within": ("how long verifying may take", "核实最长多久"),
        "reopen": ("how long after closing it may be opened again", "结案后多久以内可以重新打开"),
        "hold": ("how long and how often it may be held", "挂账最长多久、最多几次"),
        "extend_times": ("how many extensions", "最多延期几次"),
        "close_after": ("what closes it", "以什么为结案"),
        "done_by": ("whose `done` counts", "以谁的完成为准"),
        "callback_attempts": (
            "how often a reporter is called back before it is given up; 3 when not given",
            "回访最多拨打几次；不写为 3 次",
        ),
    },
    "TargetEntry": {
        "name": ("which target", "哪一项"),
        "within": ("a budget, or `standard`: the limit of the filing standard", "时限，或 `standard`：按立案标准"),
        "of": ("of whom", "对谁"),
        "default": ("with `standard`: when the category has none", "与 `standard` 连用：类别没有立案标准时的时限"),
    },
    "Reopen": {
        "within": ("how long", "多久以内"),
        "clock": ("whether the clock goes on or starts anew", "时钟继续还是重新开始"),
    },
    "Hold": {"max": ("how long at most", "最长多久"), "times": ("how many times", "最多几次")},
    "LadderEntry": {
        "name": ("what routes call it", "派遣规则引用的名称"),
        "steps": ("the steps, in order", "各级步骤，按顺序"),
        "calendar": ("for working units in `after`", "`after` 中工作时单位所用日历"),
        "hold_outside": ("notices wait until this calendar is open", "此日历之外的通知顺延"),
        "acknowledge_timeout": (
            "how long the reply to a `supervise` step may take: the `reply_due` of the supervision it opens",
            "`supervise` 步骤所开督办的答复时限，即该督办的 `reply_due`",
        ),
        "repeat": ("climb again", "重复执行"),
        "stop_when": ("what ends it", "何时停止"),
        "then": ("the ladder that follows", "其后接续的阶梯"),
    },
    "StepEntry": {
        "trigger": ('"resolve 90%", "acknowledge breach"', '"resolve 90%"、"acknowledge breach" 等'),
        "to": ("whom", "对谁"),
        "do": ("what", "做什么"),
        "after": ("so long after the trigger", "触发后再过多久"),
    },
    "Repeat": {"every": ("how long after its last step", "最后一步之后多久"), "times": ("how many times", "几次")},
    "Rule": {
        "id": ("its name, the same for good", "规则标识，长期不变"),
        "title": ("for people", "供人识读的标题"),
        "when": ("what must hold; see below", "适用条件，见下"),
        "valid_from": ("its first day", "生效首日"),
        "expires": ("its last day", "有效末日"),
    },
    "Guard": {
        "priority": ("the higher is asked first", "数值大者先判"),
        "outcome": ("discard, park (a person looks), or fallback", "丢弃 discard、搁置待人工 park、兜底 fallback"),
        "reason": ("shown to people as it stands", "原样展示给人看的依据"),
    },
    "Route": {
        "priority": ("the highest wins: 900 life safety … 100 default", "数值大者优先：900 生命安全 … 100 一般"),
        "lead": ("the department, or `department@level`", "主办部门，或 `部门@级别`"),
        "sla": ("its deadlines", "适用时限"),
        "ladder": ("its escalation", "适用升级阶梯"),
        "reason": ("shown to people as it stands", "原样展示给人看的依据"),
        "level": (
            "the level of the grid that holds it, or `city`; when not given, where the lead works",
            "由哪一级网格（或 `city`）负责；不写则为主办部门所在级别",
        ),
    },
    "Overlay": {
        "support": ("who must help", "协办部门"),
        "tags": ("labels it adds", "添加的标签"),
        "severity": ("how bad it is at least", "至少提升到的等级"),
        "targets": ("further budgets; the earliest due counts", "附加时限；最早到期者为准"),
        "level": (
            "a level of the grid that should hold it, or `city`; the widest counts, so it only ever moves up",
            "应由哪一级网格（或 `city`）负责；取最高一级，只升不降",
        ),
    },
    "Support": {
        "dept": ("the department, or `department@level`", "部门，或 `部门@级别`"),
        "role": ("what it is to do", "承担的事项"),
        "attend": ("to be on site within", "多久以内到场"),
        "required": ("the incident is not done without it", "未完成则案件不能办结"),
    },
    "Attend": {"within": ("the budget", "时限"), "calendar": ("for working units", "工作时单位所用日历")},
    "Raise": {"raise_to": ("1 to 4", "1 至 4")},
    "ExtraTarget": {
        "name": ("which target", "哪一项"),
        "within": ("the budget", "时限"),
        "calendar": ("for working units", "工作时单位所用日历"),
        "of": ("of whom", "对谁"),
    },
    "MeasuresEntry": {
        "weights": (
            "what counts in the composite figure, and how much; at least one",
            "综合得分中各项指标的权重；至少一项",
        ),
        "minimum_cases": ("with fewer cases: shown, not ranked", "案件少于此数的只列出，不排名"),
        "came_back": (
            "the same place and category again within so long of closing: it came back",
            "结案后多久以内同一地点、同一类别再次发生即为反复",
        ),
        "boards": ("how many the boards name", "红黑榜各列几名"),
    },
    "Weight": {
        "measure": ("which measure", "哪项指标"),
        "weight": ("a whole number above 0; only proportions matter", "大于 0 的整数；只看相互比例"),
    },
    "Boards": {"red": ("the best", "红榜"), "black": ("the worst", "黑榜")},
    "Text": {"zh": ("in Chinese", "中文"), "en": ("in English", "英文")},
}

WHEN: dict[str, tuple[str, str, str]] = {
    "category": ('["03.02"]', "the code and everything below it", "该类别及其全部下级"),
    "grid": ('["530002001"]', "the cell and everything inside it", "该网格及其内部全部网格"),
    "severity": (
        '"<=2"',
        "the severity, 1 is the worst; after overlays that raise it",
        "等级，1 最重；在提升等级的叠加规则之后判断",
    ),
    "mode": ("[emergency]", "the mode in force", "当前模式"),
    "calendar": ("[night]", "inside that calendar's hours when it is decided", "决定时处于该日历的开放时段"),
    "source": ("[hotline]", "where the report came from", "上报来源"),
    "platform": ("[people]", "the source's platform", "来源所属平台"),
    "confidence": ('">=0.9"', "a device's confidence, 0 to 1", "设备给出的置信度，0 至 1"),
    "tags": ("[school]", "labels of the report and of overlays", "上报自带及叠加规则添加的标签"),
    "whistle": ("[any]", "a street has whistled: its kind, or `any`", "街道吹哨：种类，或 `any`"),
    "reporters": ('">=5"', "how many have reported it", "上报人数"),
    "place": ("[none]", "how it was located", "定位方式"),
    "text.any": (
        "[煤气味, gas smell]",
        "words in the text; letter case and width make no difference",
        "正文中出现的词；不分大小写和全半角",
    ),
    "standard": ("[a]", "the filing standard found", "核实到的立案标准"),
    "request_kind": ("[complaint]", "what the person wants", "诉求种类"),
    "attributes.<name>": (
        '">=10"',
        "a field of the report: equal, one of, or a comparison",
        "上报中的字段：相等、其一或比较",
    ),
    "not": (
        "{tags: [exercise]}",
        "a block of the same keys of which none may hold",
        "同样的键，其中任何一个都不得成立",
    ),
}
