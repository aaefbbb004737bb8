"""Countries and states by any of their common names, as two-letter codes in lower case."""

from __future__ import annotations

import unicodedata
from typing import Final

# One country a line: alpha-2, alpha-3, then the names it goes by, the usual English one first.
# Source of the codes: ISO 3166-1, all 249 entries (unchanged since 2018). Kosovo's code is not in ISO 3166-1 but from
# its range for users, which the EU, the IMF and Unicode use alike.
# Names are looked up by letters and digits only, so case, accents, spaces, "&" and "the" at either end do not matter.
_COUNTRY_TABLE: Final = """
ad and Andorra
ae are United Arab Emirates|UAE|Emirates|Vereinigte Arabische Emirate|Émirats arabes unis|Emiratos Árabes Unidos
af afg Afghanistan
ag atg Antigua and Barbuda
ai aia Anguilla
al alb Albania|Shqipëria|Shqipëri
am arm Armenia|Հայաստան
ao ago Angola
aq ata Antarctica
ar arg Argentina|Argentinien|Argentine
as asm American Samoa
at aut Austria|Österreich|Oesterreich|Autriche|Oostenrijk
au aus Australia|Commonwealth of Australia|Australien|Australie
aw abw Aruba
ax ala Åland Islands|Åland|Aland|Ahvenanmaa
az aze Azerbaijan|Azərbaycan
ba bih Bosnia and Herzegovina|Bosnia|Bosna i Hercegovina|Bosnia-Herzegovina
bb brb Barbados
bd bgd Bangladesh|বাংলাদেশ
be bel Belgium|België|Belgique|Belgien|Bélgica|Belgio
bf bfa Burkina Faso
bg bgr Bulgaria|България
bh bhr Bahrain
bi bdi Burundi
bj ben Benin|Bénin
bl blm Saint Barthélemy|St. Barthélemy|St. Barts
bm bmu Bermuda
bn brn Brunei|Brunei Darussalam
bo bol Bolivia|Plurinational State of Bolivia|Bolivia, Plurinational State of
bq bes Bonaire, Sint Eustatius and Saba|Bonaire|Caribbean Netherlands
br bra Brazil|Brasil|Brasilien|Brésil|Brasile
bs bhs Bahamas
bt btn Bhutan
bv bvt Bouvet Island
bw bwa Botswana
by blr Belarus|Беларусь
bz blz Belize
ca can Canada|Kanada|Canadá
cc cck Cocos (Keeling) Islands|Cocos Islands|Keeling Islands
cd cod DR Congo|Democratic Republic of the Congo|Congo, Democratic Republic of the|DRC|Congo - Kinshasa\
|Congo, The Democratic Republic of the|Congo-Kinshasa|Zaire
cf caf Central African Republic|République centrafricaine
cg cog Congo|Republic of the Congo|Congo - Brazzaville|Congo Republic
ch che Switzerland|Schweiz|Suisse|Svizzera|Svizra|Suiza|Zwitserland|Swiss Confederation
ci civ Ivory Coast|Côte d'Ivoire
ck cok Cook Islands
cl chl Chile|Chili
cm cmr Cameroon|Cameroun
cn chn China|People's Republic of China|PRC|Mainland China|中国|中國|中华人民共和国|Chine
co col Colombia|Kolumbien|Colombie
cr cri Costa Rica
cu cub Cuba|Kuba
cv cpv Cape Verde|Cabo Verde
cw cuw Curaçao
cx cxr Christmas Island
cy cyp Cyprus|Κύπρος|Kıbrıs|Zypern|Chypre
cz cze Czechia|Czech Republic|Česko|Česká republika|Tschechien|Tchéquie|République tchèque
de deu Germany|Deutschland|Federal Republic of Germany|Bundesrepublik Deutschland|Allemagne|Alemania|Alemanha\
|Germania|Duitsland|Tyskland|Niemcy|Německo
dj dji Djibouti
dk dnk Denmark|Danmark|Dänemark|Danemark|Dinamarca|Danimarca|Denemarken
dm dma Dominica
do dom Dominican Republic|República Dominicana
dz dza Algeria|Algérie
ec ecu Ecuador
ee est Estonia|Eesti|Estland
eg egy Egypt|Égypte|Ägypten|Arab Republic of Egypt
eh esh Western Sahara
er eri Eritrea
es esp Spain|España|Espanya|Spanien|Espagne|Spagna|Espanha|Spanje|Kingdom of Spain
et eth Ethiopia
fi fin Finland|Suomi|Finnland|Finlande|Finlandia
fj fji Fiji
fk flk Falkland Islands|Falkland Islands (Malvinas)|Falkland Islands (Islas Malvinas)|Islas Malvinas
fm fsm Micronesia|Federated States of Micronesia|Micronesia, Federated States of
fo fro Faroe Islands|Føroyar|Færøerne
fr fra France|Frankreich|Francia|França|Frankrijk|Frankrike|Frankrig|Francja|French Republic|Metropolitan France
ga gab Gabon
gb gbr United Kingdom|UK|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|Reino Unido|Royaume-Uni\
|Vereinigtes Königreich|Großbritannien|Regno Unito|Verenigd Koninkrijk|Grande-Bretagne|Gran Bretaña\
|United Kingdom of Great Britain and Northern Ireland
gd grd Grenada
ge geo Georgia|საქართველო
gf guf French Guiana|Guyane|Guyane française
gg ggy Guernsey
gh gha Ghana
gi gib Gibraltar
gl grl Greenland|Kalaallit Nunaat|Grønland
gm gmb Gambia
gn gin Guinea|Guinée
gp glp Guadeloupe
gq gnq Equatorial Guinea|Guinea Ecuatorial
gr grc Greece|EL|Hellas|Hellenic Republic|Ελλάδα|Ελλάς|Griechenland|Grèce|Grecia|Griekenland
gs sgs South Georgia and the South Sandwich Islands|South Georgia and South Sandwich Islands|South Georgia
gt gtm Guatemala
gu gum Guam
gw gnb Guinea-Bissau|Guiné-Bissau
gy guy Guyana
hk hkg Hong Kong|Hong Kong SAR|Hong Kong SAR China|Hong Kong, China|香港
hm hmd Heard Island and McDonald Islands|Heard and McDonald Islands
hn hnd Honduras
hr hrv Croatia|Hrvatska|Kroatien|Croatie
ht hti Haiti|Haïti|Ayiti
hu hun Hungary|Magyarország|Ungarn|Hongrie|Hungría
id idn Indonesia|Republic of Indonesia|Indonesien|Indonésie
ie irl Ireland|Éire|Republic of Ireland|Irland|Irlande|Irlanda|Ierland
il isr Israel
im imn Isle of Man
in ind India|Bharat|भारत|Republic of India|Indien|Inde
io iot British Indian Ocean Territory
iq irq Iraq
ir irn Iran|Islamic Republic of Iran|Iran, Islamic Republic of
is isl Iceland|Ísland|Island|Islande
it ita Italy|Italia|Italien|Italie|Itália|Włochy|Italian Republic
je jey Jersey
jm jam Jamaica
jo jor Jordan
jp jpn Japan|日本|日本国|Nippon|Japon|Japón|Giappone|Japão
ke ken Kenya
kg kgz Kyrgyzstan|Кыргызстан
kh khm Cambodia|Kampuchea
ki kir Kiribati
km com Comoros
kn kna Saint Kitts and Nevis|St. Kitts and Nevis
kp prk North Korea|Korea, Democratic People's Republic of|Democratic People's Republic of Korea|DPRK
kr kor South Korea|Korea|Republic of Korea|Korea, Republic of|Korea, South|대한민국|한국|Südkorea|Corée du Sud
kw kwt Kuwait
ky cym Cayman Islands
kz kaz Kazakhstan|Қазақстан|Казахстан
la lao Laos|Lao People's Democratic Republic|Lao PDR
lb lbn Lebanon|Liban
lc lca Saint Lucia|St. Lucia
li lie Liechtenstein
lk lka Sri Lanka
lr lbr Liberia
ls lso Lesotho
lt ltu Lithuania|Lietuva|Litauen|Lituanie
lu lux Luxembourg|Luxemburg|Lëtzebuerg
lv lva Latvia|Latvija|Lettland|Lettonie
ly lby Libya|Libyan Arab Jamahiriya
ma mar Morocco|Maroc|Marokko|Marruecos
mc mco Monaco
md mda Moldova|Republic of Moldova|Moldova, Republic of
me mne Montenegro|Crna Gora|Црна Гора
mf maf Saint Martin|St. Martin|Saint Martin (French part)|Saint-Martin
mg mdg Madagascar|Madagasikara
mh mhl Marshall Islands
mk mkd North Macedonia|Macedonia|Republic of North Macedonia|Северна Македонија\
|Macedonia, the former Yugoslav Republic of
ml mli Mali
mm mmr Myanmar|Burma|Myanmar (Burma)
mn mng Mongolia|Монгол
mo mac Macao|Macau|Macao SAR|Macao SAR China|Macau SAR China|澳門|澳门
mp mnp Northern Mariana Islands
mq mtq Martinique
mr mrt Mauritania|Mauritanie
ms msr Montserrat
mt mlt Malta
mu mus Mauritius|Maurice
mv mdv Maldives
mw mwi Malawi
mx mex Mexico|México|Mexiko|Mexique|Messico|United Mexican States|Estados Unidos Mexicanos
my mys Malaysia
mz moz Mozambique|Moçambique
na nam Namibia
nc ncl New Caledonia|Nouvelle-Calédonie
ne ner Niger
nf nfk Norfolk Island
ng nga Nigeria
ni nic Nicaragua
nl nld Netherlands|Nederland|Holland|Niederlande|Pays-Bas|Países Bajos|Paesi Bassi|Kingdom of the Netherlands
no nor Norway|Norge|Noreg|Norwegen|Norvège|Noruega|Norvegia|Noorwegen|Kingdom of Norway
np npl Nepal
nr nru Nauru
nu niu Niue
nz nzl New Zealand|Aotearoa|Aotearoa New Zealand|Neuseeland|Nouvelle-Zélande|Nueva Zelanda
om omn Oman
pa pan Panama|Panamá
pe per Peru|Perú|Pérou
pf pyf French Polynesia|Polynésie française|Tahiti
pg png Papua New Guinea
ph phl Philippines|Pilipinas|Philippinen|Filipinas|Republic of the Philippines
pk pak Pakistan
pl pol Poland|Polska|Polen|Pologne|Polonia|Polônia|Polónia|Republic of Poland
pm spm Saint Pierre and Miquelon|St. Pierre and Miquelon|Saint-Pierre-et-Miquelon
pn pcn Pitcairn|Pitcairn Islands
pr pri Puerto Rico
ps pse Palestine|State of Palestine|Palestine, State of|Palestinian Territories|Palestinian Territory\
|Palestinian Territory, Occupied
pt prt Portugal|Portuguese Republic
pw plw Palau
py pry Paraguay
qa qat Qatar
re reu Réunion|La Réunion
ro rou Romania|România|Rumänien|Roumanie|Rumania
rs srb Serbia|Srbija|Србија|Serbien|Serbie
ru rus Russia|Russian Federation|Россия|Российская Федерация|Russland|Russie|Rusia
rw rwa Rwanda
sa sau Saudi Arabia|KSA|Kingdom of Saudi Arabia|Saudi-Arabien|Arabie saoudite|Arabia Saudita
sb slb Solomon Islands
sc syc Seychelles
sd sdn Sudan
se swe Sweden|Sverige|Schweden|Suède|Suecia|Svezia|Suécia|Zweden|Szwecja|Kingdom of Sweden
sg sgp Singapore|Singapura|Singapur|Singapour|新加坡
sh shn Saint Helena, Ascension and Tristan da Cunha|Saint Helena|St. Helena
si svn Slovenia|Slovenija|Slowenien|Slovénie
sj sjm Svalbard and Jan Mayen|Svalbard
sk svk Slovakia|Slovensko|Slovak Republic|Slowakei|Slovaquie
sl sle Sierra Leone
sm smr San Marino
sn sen Senegal|Sénégal
so som Somalia|Soomaaliya
sr sur Suriname
ss ssd South Sudan
st stp São Tomé and Príncipe
sv slv El Salvador
sx sxm Sint Maarten|Sint Maarten (Dutch part)|St. Maarten
sy syr Syria|Syrian Arab Republic
sz swz Eswatini|Swaziland
tc tca Turks and Caicos Islands
td tcd Chad|Tchad
tf atf French Southern Territories
tg tgo Togo
th tha Thailand|ประเทศไทย|Thaïlande|Tailandia|Kingdom of Thailand
tj tjk Tajikistan|Тоҷикистон
tk tkl Tokelau
tl tls Timor-Leste|East Timor
tm tkm Turkmenistan|Türkmenistan
tn tun Tunisia|Tunisie|Tunesien
to ton Tonga
tr tur Türkiye|Turkey|Türkei|Turquie|Turquía|Turchia|Turkije|Republic of Türkiye|Republic of Turkey
tt tto Trinidad and Tobago|Trinidad
tv tuv Tuvalu
tw twn Taiwan|Taiwan, Province of China|Taiwan, China|台灣|臺灣|台湾
tz tza Tanzania|United Republic of Tanzania|Tanzania, United Republic of
ua ukr Ukraine|Україна|Украина
ug uga Uganda
um umi United States Minor Outlying Islands|U.S. Outlying Islands|U.S. Minor Outlying Islands
us usa United States|United States of America|U.S. of America|America|Estados Unidos|États-Unis\
|Vereinigte Staaten|Vereinigte Staaten von Amerika|Stati Uniti|Verenigde Staten|Estados Unidos de América
uy ury Uruguay
uz uzb Uzbekistan|Oʻzbekiston
va vat Vatican City|Holy See|Vatican|Holy See (Vatican City State)|Città del Vaticano
vc vct Saint Vincent and the Grenadines|St. Vincent and Grenadines|St. Vincent and the Grenadines
ve ven Venezuela|Bolivarian Republic of Venezuela|Venezuela, Bolivarian Republic of
vg vgb British Virgin Islands|Virgin Islands, British|Virgin Islands (British)|BVI
vi vir U.S. Virgin Islands|Virgin Islands, U.S.|Virgin Islands (U.S.)|United States Virgin Islands|USVI
vn vnm Vietnam|Viet Nam|Việt Nam
vu vut Vanuatu
wf wlf Wallis and Futuna|Wallis and Futuna Islands
ws wsm Samoa|Western Samoa
xk xkx Kosovo|Kosova
ye yem Yemen
yt myt Mayotte
za zaf South Africa|Republic of South Africa|Suid-Afrika|Südafrika|Afrique du Sud
zm zmb Zambia
zw zwe Zimbabwe
"""

# Sources: USPS Publication 28, appendix B (states, territories, armed forces); Canada Post's province abbreviations.
# Other countries are left out: where their subdivisions have two letters, the code itself is what senders have.
_STATE_TABLE: Final = """
al Alabama
ak Alaska
az Arizona
ar Arkansas
ca California
co Colorado
ct Connecticut
de Delaware
dc District of Columbia|Washington DC|Washington D.C. (District of Columbia)
fl Florida
ga Georgia
hi Hawaii|Hawaiʻi
id Idaho
il Illinois
in Indiana
ia Iowa
ks Kansas
ky Kentucky
la Louisiana
me Maine
md Maryland
ma Massachusetts
mi Michigan
mn Minnesota
ms Mississippi
mo Missouri
mt Montana
ne Nebraska
nv Nevada
nh New Hampshire
nj New Jersey
nm New Mexico
ny New York|New York State
nc North Carolina
nd North Dakota
oh Ohio
ok Oklahoma
or Oregon
pa Pennsylvania
ri Rhode Island
sc South Carolina
sd South Dakota
tn Tennessee
tx Texas
ut Utah
vt Vermont
va Virginia
wa Washington|Washington State
wv West Virginia
wi Wisconsin
wy Wyoming
as American Samoa
gu Guam
mp Northern Mariana Islands
pr Puerto Rico
vi U.S. Virgin Islands|Virgin Islands|Virgin Islands, U.S.|United States Virgin Islands
um United States Minor Outlying Islands
fm Micronesia|Federated States of Micronesia
mh Marshall Islands
pw Palau
aa Armed Forces Americas
ae Armed Forces Europe
ap Armed Forces Pacific
ab Alberta
bc British Columbia|Colombie-Britannique
mb Manitoba
nb New Brunswick|Nouveau-Brunswick
nl Newfoundland and Labrador|Newfoundland|Terre-Neuve-et-Labrador
nt Northwest Territories|Territoires du Nord-Ouest
ns Nova Scotia|Nouvelle-Écosse
nu Nunavut
on Ontario
pe Prince Edward Island|Île-du-Prince-Édouard
qc Quebec|Québec
sk Saskatchewan
yt Yukon|Yukon Territory
"""


def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 in lower case, from a code of two or three letters or a name; ``None`` when unknown.

    ``"UK"`` is taken as ``gb`` and ``"EL"`` as ``gr``, as senders mean them.
    """
    return _COUNTRIES.get(text.lower()) or _find(_COUNTRIES, text)


def state_code(text: str) -> str | None:
    """Two letters in lower case for a name of the United States or Canada; ``None`` for anything else."""
    return _STATES.get(text.lower()) or _find(_STATES, text)


def _find(table: dict[str, str], text: str) -> str | None:
    key = fold(text)
    return table.get(key) or table.get(key.removeprefix("the").removesuffix("the"))


def fold(text: str) -> str:
    """The letters and digits of a text in lower case, without accents; ``&`` reads ``and``."""
    text = text.replace("&", "and")
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return "".join([character for character in text.casefold() if character.isalnum()])


def _read(table: str, codes: int) -> dict[str, str]:
    """Every code and name of a table, and every name folded, to its first code; a line starts with ``codes`` codes."""
    found: dict[str, str] = {}
    for line in table.strip().splitlines():
        *keys, names = line.split(" ", codes)
        for key in (*keys, *names.lower().split("|"), *map(fold, names.split("|"))):
            # A name that two places share would be hashed as the wrong one.
            assert found.setdefault(key, keys[0]) == keys[0], line
    return found


_COUNTRIES: Final = _read(_COUNTRY_TABLE, codes=2)
_STATES: Final = _read(_STATE_TABLE, codes=1)
