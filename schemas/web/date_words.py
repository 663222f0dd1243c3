"""Words of dates: names of months, and words for before and after noon. Pages, feeds and sitemaps are read with them.

A line ends each month. The names in ELSEWHERE are those of CLDR, of which no other language has the same word for another month; tests
compare them.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

_NAMES = """
january janvier jänner jän januar enero gennaio janeiro januari styczeń stycznia leden ledna január ocak январь января січень січня jan
janv ene gen;
february février feber februar febrero febbraio fevereiro februari luty lutego únor února február şubat февраль февраля лютий лютого feb
févr fév fev;
march mars märz marzo março maart marzec marca březen března marec mart март марта березень березня mar mär mrz;
april avril abril aprile kwiecień kwietnia duben dubna apríl nisan апрель апреля квітень квітня apr avr abr;
may mai mayo maggio maio mei maj maja květen května máj mayıs май мая травень травня;
june juin juni junio giugno junho czerwiec czerwca červen června jún haziran июнь июня червень червня jun;
july juillet juli julio luglio julho lipiec lipca červenec července júl temmuz июль июля липень липня jul juil lug;
august août agosto augustus sierpień sierpnia srpen srpna ağustos август августа серпень серпня aug ago;
september septembre septiembre settembre setiembre setembro wrzesień września září szeptember eylül сентябрь сентября вересень вересня
sep sept set;
october octobre oktober octubre ottobre outubro październik października říjen října október ekim октябрь октября жовтень жовтня oct okt
ott out;
november novembre noviembre novembro listopad listopada listopadu kasım ноябрь ноября nov;
december décembre dezember diciembre dicembre dezembro desember grudzień grudnia prosinec prosince aralık декабрь декабря грудень грудня
dec dez dic déc des;
"""
_ELSEWHERE = """
ean eanáir gener ian ianuarie ianuarii ianuarius ion ionawr jaan jaanuar janar januarie januaro januára janvāris janúar oca saus sausio
sausis sij siječanj siječnja tammi tammikuu tammikuuta urt urtarrila xan xaneiro yan yanvar ιαν ιανουάριος ιανουαρίου сту студзень
студзеня яну януари јан јануар јануари қаң қаңтар հնվ հունվար հունվարի ינואר ינו׳ جنوری يناير ژانویه ژانویهٔ जनवरी जन॰ जाने जानेवारी জানু
জানুয়ারী ਜਨਵਰੀ જાન્યુ જાન્યુઆરી ஜனவரி జనవరి ಜನವರಿ ജനു ജനുവരി ජනවාරි มกราคม ມັງກອນ ဇန် ဇန်နဝါရီ იან იანვარი មករា جانفي;
chw chwef chwefror feabh feabhra febr febreiro febrer februarie februarii februarius februaro februára februāris febrúar fevral helmi
helmikuu helmikuuta ots otsaila peb pebrero shk shkurt vas vasario vasaris veebr veebruar velj veljača veljače şub φεβ φεβρουάριος
φεβρουαρίου ақп ақпан лют лютага люты феб фебруар фев февруари փետրվար փետրվարի փտվ פברואר פבר׳ فبراير فروری فوریه فوریهٔ फ़रवरी फ़र॰
फेब्रु फेब्रुअरी फेब्रुवारी ফেব ফেব্রুয়ারী ਫ਼ਰ ਫ਼ਰਵਰੀ ફેબ્રુ ફેબ્રુઆરી பிப் பிப்ரவரி ఫిబ్ర ఫిబ్రవరి ಫೆಬ್ರ ಫೆಬ್ರವರಿ ഫെബ്രു ഫെബ്രുവരി පෙබ
පෙබරවාරි กุมภาพันธ์ ກຸມພາ ဖေဖော်ဝါရီ თებ თებერვალი កុម្ភៈ شباط فيفري;
maerz kov kovas kovo maalis maaliskuu maaliskuuta mac machi maret marso martie martii martius marto marts martxoa març maw mawrth mrt márc
március márta märts ožu ožujak ožujka μάρ μάρτιος μαρ μαρτίου мар нау наурыз сак сакавік сакавіка մարտ մարտի մրտ מרץ مارس مارچ मार्च মার্চ
ਮਾਰਚ માર્ચ மார் மார்ச் మార్చి ಮಾರ್ಚ್ മാർ മാർച്ച് මාර් මාර්තු มีนาคม ມີນາ မတ် მარ მარტი មីនា آذار;
aib aibreán api apirila aprel aprili aprilie aprilis aprill aprilo apríla aprīlis bal balandis balandžio d’abr d’abril ebr ebrill huhti
huhtikuu huhtikuuta nis pri prill tra travanj travnja ápr április απρ απρίλιος απριλίου апр април кра красавік красавіка сәу сәуір ապր
ապրիլ ապրիլի אפריל אפר׳ آوریل أبريل اپریل अप्रिल अप्रैल एप्रि एप्रिल এপ্রি এপ্রিল ਅਪ੍ਰੈ ਅਪ੍ਰੈਲ એપ્રિલ ஏப் ஏப்ரல் ఏప్రి ఏప్రిల్ ಏಪ್ರಿ
ಏಪ್ರಿಲ್ ഏപ്രി ഏപ്രിൽ අප්‍රේල් เมษายน ເມສາ ဧပြီ აპრ აპრილი មេសា نيسان أفريل إبريل;
beal bealtaine geg gegužė gegužės maiatza maig maii maijs maius majo maí mája május svi svibanj svibnja touko toukokuu toukokuuta μάι
μάιος μαΐ μαΐου мам мамыр мај մայիս մայիսի մյս מאי مئی مايو مهٔ മേയ് මැයි พฤษภาคม ພຶດສະພາ მაი მაისი ឧសភា أيار ماي;
birž birželio birželis eka ekaina haz hun hunyo iun iunie iunii iunius iyn iyun junie junij juny juuni júna június júní jūn jūnijs kesä
kesäkuu kesäkuuta lip lipanj lipnja meh mehefin meith meitheamh qer qershor xuño ιουν ιουνίου ιούν ιούνιος мау маусым чэр чэрвень чэрвеня
юни јун јуни հնս հունիս հունիսի יוני جون يونيو ژوئن जुन जून জুন ਜੂਨ જૂન ஜூன் జూన్ ಜೂನ್ ജൂൺ ජූනි มิถุนายน ມິຖຸນາ ဇွန် ივნ ივნისი មិថុនា
حزيران جوان;
gor gorff gorffennaf heinä heinäkuu heinäkuuta hul hulyo iul iulie iulii iulius iyl iyul iúil julai julie julij juliol juuli júla július
júlí jūl jūlijs korr korrik liep liepa liepos srp srpanj srpnja tem uzt uztaila xul xullo ιουλ ιουλίου ιούλ ιούλιος ліп ліпень ліпеня шіл
шілде юли јул јули հլս հուլիս հուլիսի יולי جولائی يوليو ژوئیه ژوئیهٔ जुलाई जुलै जुल॰ জুল জুলাই ਜੁਲਾ ਜੁਲਾਈ જુલાઈ ஜூலை జులై ಜುಲೈ ജൂലൈ ජූලි
กรกฎาคม ກໍລະກົດ ဇူလိုင် ივლ ივლისი កក្កដា تموز جويلية يوليوز;
abu abuztua agost agosti agt agu agustus augusta augusti augusts augusztus avg avgust avq avqust awst ağu aŭg aŭgusto d’ag d’agost elo
elokuu elokuuta gush gusht kol kolovoz kolovoza lún lúnasa ogo ogos rugp rugpjūtis rugpjūčio ágú ágúst αυγ αυγούστου αύγ αύγουστος авг жні
жнівень жніўня там тамыз օգոստոս օգոստոսի օգս אוגוסט אוג׳ أغسطس اوت اگست अगस्ट अगस्त अग॰ ऑगस्ट আগস্ট ਅਗਸਤ ઑગસ્ટ ஆகஸ்ட் ఆగస్టు ಆಗಸ್ಟ್
ഓഗസ്റ്റ് අගෝ අගෝස්තු สิงหาคม ສິງຫາ ဩဂုတ် აგვ აგვისტო សីហា آب أوت غشت أغشت;
eyl ira iraila medi mfómh rugs rugsėjis rugsėjo ruj rujan rujna sen sentabr sentyabr septemba septembar septembra septembrie septembris
septembro setembre setyembre sht shtator syys syyskuu syyskuuta szept σεπ σεπτ σεπτέμβριος σεπτεμβρίου вер верасень верасня сеп септембар
септември қыр қыркүйек սեպ սեպտեմբեր սեպտեմբերի ספטמבר ספט׳ سبتمبر ستمبر سپتامبر सप्टें सप्टेंबर सितंबर सित॰ सेप्टेम्बर সেপ সেপ্টেম্বর ਸਤੰ
ਸਤੰਬਰ સપ્ટે સપ્ટેમ્બર செப் செப்டம்பர் సెప్టెం సెప్టెంబర్ ಸೆಪ್ಟೆಂ ಸೆಪ್ಟೆಂಬರ್ സെപ്റ്റം സെപ്റ്റംബർ සැප් සැප්තැම්බර් กันยายน ກັນຍາ စက်
စက်တင်ဘာ სექ სექტემბერი កញ្ញា أيلول شتنبر شتمبر;
dfómh d’oct d’octubre eki hyd hydref lis loka lokakuu lokakuuta octobris octombrie oktabr oktoba oktobar oktobris oktobro oktoober oktubre
oktyabr októbra spal spalio spalis tet tetor urr urria οκτ οκτωβρίου οκτώβριος кас кастрычнік кастрычніка окт октобар октомври қаз қазан
հոկ հոկտեմբեր հոկտեմբերի אוקטובר אוק׳ أكتوبر اکتبر اکتوبر अक्टूबर अक्टू॰ अक्टोबर ऑक्टो ऑक्टोबर অক্টো অক্টোবর ਅਕਤੂ ਅਕਤੂਬਰ ઑક્ટો ઑક્ટોબર அக்
அக்டோபர் అక్టో అక్టోబర్ ಅಕ್ಟೋ ಅಕ್ಟೋಬರ್ ഒക്ടോ ഒക്‌ടോബർ ඔක් ඔක්තෝබර් ตุลาคม ຕຸລາ အောက် အောက်တိုဘာ ოქტ ოქტომბერი តុលា;
aza azaroa kas lapkr lapkritis lapkričio marras marraskuu marraskuuta nob nobyembre noiembrie novemba novembar novembra novembris noy
noyabr nën nëntor nóv nóvember samh samhain stu studeni studenoga tach tachwedd νοέ νοέμβριος νοε νοεμβρίου ліс лістапад лістапада нов
новембар ное ноември қар қараша նոյ նոյեմբեր նոյեմբերի נובמבר נוב׳ نوامبر نوفمبر نومبر नवंबर नव॰ नोभेम्बर नोव्हें नोव्हेंबर নভে নভেম্বর
ਨਵੰ ਨਵੰਬਰ નવે નવેમ્બર நவம்பர் నవం నవంబర్ ನವೆಂ ನವೆಂಬರ್ നവം നവംബർ නොවැ නොවැම්බර් พฤศจิกายน ພະຈິກ နို နိုဝင်ဘာ ნოე ნოემბერი វិច្ឆិកា نونبر;
abe abendua ara decembar decembra decembrie decembris decembro dek dekabr desemba desembre dets detsember dhj dhjetor dis disember
disyembre gruod gruodis gruodžio joulu joulukuu joulukuuta noll nollaig pro prosinac prosinca rhag rhagfyr δεκ δεκέμβριος δεκεμβρίου дек
декември дец децембар жел желтоқсан сне снежань снежня դեկ դեկտեմբեր դեկտեմբերի דצמבר דצמ׳ دسامبر دسمبر ديسمبر डिसें डिसेंबर डिसेम्बर
दिसंबर दिस॰ ডিসে ডিসেম্বর ਦਸੰ ਦਸੰਬਰ ડિસે ડિસેમ્બર டிச டிசம்பர் డిసెం డిసెంబర్ ಡಿಸೆಂ ಡಿಸೆಂಬರ್ ഡിസം ഡിസംബർ දෙසැ දෙසැම්බර් ธันวาคม ທັນວາ
ဒီဇင်ဘာ დეკ დეკემბერი ធ្នូ دجنبر دجمبر
"""


def _by_name(names: str) -> dict[str, int]:
    return {name: number for number, month in enumerate(names.split(";"), 1) for name in month.split()}


MONTHS = _by_name(_NAMES)  # in the languages of most pages
MONTHS_ELSEWHERE = _by_name(_ELSEWHERE)  # in further languages
OTHERWISE = {"hr": {"lip": 6, "srp": 7, "lis": 10, "listopad": 10, "listopada": 10}}  # languages in which words of MONTHS are other months
RARE = Path(__file__).with_name("month_names.txt")  # the names in all other languages of CLDR, a line for each month
SHORTEST_STEM = 5  # letters of a name that more letters may follow: languages inflect the names of months
_MORNING = """
am a.m. 上午 早上 凌晨 清晨 午前 오전 صباحا صباحًا صباحاً ص πμ π.μ. vormittags पूर्वाह्न sáng ก่อนเที่ยง
"""
_EVENING = """
pm p.m. 下午 晚上 傍晚 中午 午後 오후 مساء مساءً مساءا م μμ μ.μ. nachmittags abends अपराह्न chiều tối หลังเที่ยง
"""
AM_WORDS, PM_WORDS = frozenset(_MORNING.split()), frozenset(_EVENING.split())


def month_by_name(name: str) -> int | None:
    """The month that a word names in most languages: whole, shortened or inflected, in any case, with or without its accents."""
    name = name.lower().rstrip(".")
    return find_month(name, MONTHS) or MONTHS_ELSEWHERE.get(name) or _unaccented_months().get(_without_accents(name))


def month_of_date(name: str, language: str | None = None) -> int | None:
    """The same for a word that stands where only a month can: in all languages of CLDR. `language` is a label such as `hr-HR`."""
    lower = name.lower().rstrip(".")
    own = OTHERWISE.get((language or "")[:2].lower(), {}).get(lower)
    return own or month_by_name(lower) or _rare_months().get(lower)


def find_month(name: str, known: dict[str, int]) -> int | None:
    """The month of a language whose name a word is, or a form of it; a lower-case word without a dot at its end."""
    if found := known.get(name):
        return found
    if len(name) >= 3 and len(numbers := {number for month, number in known.items() if _is_form(name, month)}) == 1:
        return numbers.pop()
    return None


def _is_form(name: str, month: str) -> bool:
    return month.startswith(name) or (len(month) >= SHORTEST_STEM and name.startswith(month))


@cache
def _rare_months() -> dict[str, int]:
    return _by_name(";".join(RARE.read_text(encoding="utf-8").splitlines()))


@cache
def _unaccented_months() -> dict[str, int]:
    """The names without accents, as in capitals: but those that two months have then."""
    months: dict[str, set[int]] = {}
    for name, number in (MONTHS_ELSEWHERE | MONTHS).items():
        months.setdefault(_without_accents(name), set()).add(number)
    return {name: numbers.pop() for name, numbers in months.items() if len(numbers) == 1}


def _without_accents(name: str) -> str:
    """A word without the accents of Latin, Greek and Cyrillic letters. Marks of other scripts are letters of their words."""
    parts = unicodedata.normalize("NFD", name).replace("\u0131", "i")
    return unicodedata.normalize("NFC", "".join([part for part in parts if not "\u0300" <= part <= "\u036f"]))
