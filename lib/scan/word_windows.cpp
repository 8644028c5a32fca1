// What of each word is looked for: the rarest of its windows, by a list of the windows that files have most often, and
// where that has none, by how often letters stand, alone and in pairs.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "scan/wordlike.hpp"
#include "scan/words.hpp"

namespace imgbuild {
namespace {

// Four bytes each, with bit 32 set, the most common first: so a blank may be a zero, ! a 1, and * a line's end. Made by
// scrubbers/word_windows.py.
constexpr std::string_view common = R"windows(
    *      r thetionthe !   ,*     "ationametype----**   to ing "      s:*   of #   ion  forment   dions con  #  is 
   hfor turneturretufile   |stri.*     })*  $   requ(    in ringsionvalu   #jectself  redefiefinine alueand    cfine
   i ret if this  !  andctio nottrincons{*     teque   !port thiablenot codedatacommerrouest   (rrorquesloca   af th
his cationst inturn cont resent '   0   withfuncsage proptioserv   j fil   '%   &   para defessae*  ted  #   usesour
ourcformurce#defmess*#dessagstatof tlisterat sel strinte~~~~*))) {*),   elf.vers)    be    z !  oper wit nam errocat
compn th reqaramtime comersi   $   )conffrom or e th val",* ame ;*  nter {*  thalass   frsioproj):* s thclas, 0xroje
ojeccheclinehecke reinfo   p.** umenspec****  $ ieldossldef    e))))"*   $  2   calllicethatentitest}*  },* int ting
: 0xhat fielr th0000 (  insttatiresoile pathith he s typ   /open staicen  iformaratisignensenst sizecens parated 0x0
charate   deectsonfi   n argter esoubaserom   ( text cha */*ectie costannfig+   viceaaaa* *   " ents.   therancepoli
nsta ope====read{*))/   bjec   l  se*// 9   dingare ort s:* 8   -   agesatchtribpeciargse in   *optible mpor   0ribu
rmatibut4   ervihe c  = obje canolicitioimpombericats*  mplereate foattrdateall ed t1   rvichttp '  x509  ' in tstru
meth by ifiescriperaresp  }*ault "   *    * cessarsegoog setd toogleresscreaons    =oogldentmandiente of   mt thomma
truc   { an ruct0x00   ucept  ""parsype(faultern  },iona impecifype  },*',* ned nones nosed ethomman keyeatehe r """
efaudefactor   -ight }* thod 0  loudclou<    alld ininitflagvali  0 alid3     co  |  %s :   he l),*  ver>*  5   onse
 datsponuse  spe licuintpens areespoommelicyage or tworktrue youstormmenonale isensscate  thturensslangeed bgrouator
s in   `emener tsing6   e tooint nons to inslienr*  poin fro) {*back := )// """*(sel as ": " 0x1copyclieonteion"(*  
ion.presener &  e litablset tainningroup   oponsentaecto)** )*#dcifigenetoke!  rervebyterentess    <bute'*  lockt*  
unct add = 0  &  | jcert whe7   equipe":d by lisaddrs a t ofmatcriptder c   exce disletequirest cripnse  on lateoken
uireiterdescng t*}**numb)if umbe   bwrit metto ted is reass e = rectnctio thnode`   resedocuindeor aific;    objlang
her eter %   serneraescrload expstar)}*)t     %    %xcepontasterill cumeocumonlyhe f', 'asn1 lin cla it ect   2 pack
cludoverigneyou  wilouldconnproplue ount   :ode resurighwill // s oframes = usedx000.comtifi optenamrams   ve   he p
:{* ":{*glob  //regiargutarte.* diregumergumntattanctate modters   &  inlink>   amesnclu creertis an repe":"oundhe a
chanusertranalloencee deout actiinclauthtore)*))istr mesntaies t. thirecader uinsultaccease prin= 0x=   t in pretive
ne sed.* any   1*)}*hen esuldities adule 2  headj   rce  calurnsrato, thentr)ret copges.   g);* ata  getcan exte fun
supptial fieon":counword per shoe sepdat, in  |!r    outplicssional plat numore onneranstracupdaist delenectimplloba
nnecobalrinttentludes fofiedmakeeadeidennce uld is n(ossropet be appeletvoidundettrindexspacbuil truingsprocachedist
*/* d*  the*riteror e fi(sk) patlectt re == modupendgnedt isatusd   ernastre desode>ccesies </co?   iredteramode mat
perted aodulon ttes ": {put lagsratendert tonts llow?d  any /?d ust pacetempred uppo )  ermimetafreeoutp 8    "dalse
 locpporhe tcondiste a sappe  -   s n*  provarchtputy thutpuers assee,* tor  timlues   k onl  )  whi  stenco(con: %s
 != t = *  "tter supntenfailh th  "ss.* *)//leme = sssere anractunc casefalserr e paif tis a reae(sknval newe procal
*  re stone latiendiacka   2   8 <coarra cod!  h aut.strothe""* key whensertded >*<uon oinedhe d has no  ossncodbool
toryt!  *)if</p>tatun in,*)): {*must: thargeled p   e sk   3ckagtackto ahar stac basmete))*# dir a c incinvabloce us
atesamet  pas arnstr*funin avideing. pripartdebue:* exprebug accnputinpuampl # ',  # httctedext d thhere musilesrser
long end d!ded fficast o runf./? regelf,is f ,  g thelse undypes   wtreath tor iitemr in exca   licamainshap sizhape
range a kagerverght handse tons.applffer att"shaubliive dresortemaskhelpof a.getposirtedcurr indndlehe nroviparelf, 
 pos trarecomiss genpe(ss   ape", coied '),*s is fla unsh     finsigon iurre sect coindilid publ**//n":"prot tesng a
  d!cketj"  l    wor|*  endepecte nas cond te wienum mayhe*   prutiltermevenleasshouecte*froeral  arandlhoulrrenissi
er ieptihangream at eclod.* , reessields goo 0, ttpspass  c  xmlsoftstinunsierenwareglec", "lecl}** he o c  atic sub
eferles ytesatinrepo rec  {***/* invrnaln reis s "do   4 0x2schenly ntexuct ovid);**"docts t sys  ,  assice dictfere
  r"ryption*targesennextr.  nablscalcrypon aed wn   at tmay on.*e):*expeexamhe ipermr = clus -  ** *e": j*  er o%(  
ere ontrxamplibcc!  eval, an  + ositstemeld(varitiesoid ddres fieconnlinabel  )*ype"atten a  nilis ied oram quertch 
uild.promarkompl.</p 4  rns imit uni infariahe g gloalleion:estihichmoveaddislocwhiclimies o*/**   x %s:;** eserouds
r,  he m x50/// odinrget lenalizb   rocefindult ppli  8 ustelengntry.* *twar /* iledz   ity  |* iptie ca},*)ent. see
s://secteaseime  els))}*ich .org curave t.* epreize syst  "ted.  pol// trefe  : ndin +  ftwaertyysteber enter0  r5  
st callysent*intlabeventuerympla%s: n of t!  fai j"   4 annon se falend ion,tps:nitiunic othps:/n coemplartiing*oces
t font64ondir+  ing,ctere meed, oftwe exure  /  or cremorencint6e malterroto "sh 3   delexecultimatiame=estr warespa
ory evelopyrnt tngthengt*/*#etadhavenullblic j  d re####ndifr/  *  /xpecppensockyrigxten  exe.**pyri apist b"typ)))*
nnotn anr-  ailepagehash sou }** wrigistar *d = dsdkrtiftslo  font32udsdint3le ifound fo  |" cliegis/?` lingntiaver 
autotadactsl sofj!  codiinli but":"<adate nontifsele:"<p*)re  3 r9  ll bnt x cloordeaturaren/comd wi s ) sigf   ))) 
))renicoember comana chemult"<p>x     1 relavisi  a  e$jns autio*cla exted cnfor*)  a coanagntin*  <le ton, r1  r a 
ary ain  a prnin pas-*  ace    .ndarhe eby t" e$to bqualion)  . elecl bean ag   resteleme or log 1  ativ/p>"icodn't 
see  relptr) .  ""**  elrelespan booo   ng, cann bytfierr7  nage hav exictivm   ns trantr3  lust docsdk.n bere idoes
 do cach   +usin z!drrayr rez!d r2    me  "mget tptrr6  *  d/*  is t exadersord ))//e vantegd z"!d zanda de  e ze z!
s": ead e arrityrderr8    raan b heabut actes deer,   --t chto son:  we magepref  / inesirstainstand$%( exisame,a|a}
xistigurser r oft noer s doeintpsid}raisfiguorg/ <  or sor ethenen tis c)*)}aiseect.   5warnredeemptlloc actnditk   
d co makrepr>"* d no
)windows";

constexpr double most_bits = 1024;  // of the windows of one word: any byte counts for 128

class Frequencies {
 public:
  Frequencies() {
    std::uint32_t window = 0;
    unsigned bytes = 0;
    double rank = 0;
    for (const char c : common) {
      if (c == '\n') continue;
      window |= static_cast<std::uint32_t>(c) << (8 * bytes++);
      if (bytes < 4) continue;
      // As they fall off: 200 of a million at place 300, 50 at place 2,000.
      const double often = 0.1 / (200 + rank++);
      for (const std::uint32_t mask : window_masks) listed_[window & mask] += often;
      window = bytes = 0;
    }
  }

  double listed(std::uint32_t window) const {
    const auto found = listed_.find(window);
    return found == listed_.end() ? 0 : found->second;
  }

 private:
  std::unordered_map<std::uint32_t, double> listed_;
};

// Small and capital letters taken together.
double chance_of(unsigned byte) {
  static constexpr double letters[] = {8.2, 1.5, 2.8, 4.3, 12.7, 2.2, 2.0, 6.1, 7.0, 0.3, 0.8, 4.0, 2.4,
                                       6.7, 7.5, 1.9, 0.2, 6.0,  6.3, 9.1, 2.8, 1.0, 2.4, 0.4, 2.0, 0.1};
  if (byte >= 'a' && byte <= 'z') return letters[byte - 'a'] * 0.006;
  if (byte >= '0' && byte <= '9') return 0.012;
  if (byte == ' ') return 0.15;
  return byte < 128 ? 0.006 : 0.0005;
}

// How many times more often than by chance one byte follows another.
double pair_chance(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  const auto is_small = [](std::uint32_t c) { return c >= 'a' && c <= 'z'; };
  if (a.size() > 1 || b.size() > 1) return 1;
  if (!is_small(a[0]) || !is_small(b[0])) return a[0] == b[0] ? 4 : 1;
  return pair_factor(static_cast<char>(a[0]), static_cast<char>(b[0]));
}

// The rarest of the windows that begin at an even, or at an odd, distance from the word.
std::int8_t best_of(const Words::Word& word, std::int8_t parity, const Frequencies& frequencies) {
  std::vector<std::vector<std::uint32_t>> bytes;
  for (const auto& set : word) bytes.push_back(folded(set));
  const auto width = static_cast<std::ptrdiff_t>(bytes.size());
  std::int8_t best = Words::no_window;
  double least = 1;
  for (std::ptrdiff_t offset = parity == 0 ? 0 : -1; offset + 3 <= width && offset < 100; offset += 2) {
    const bool any_first = offset<0, any_last = offset + 4> width;
    if (any_first && any_last) continue;
    double cost = 1, bits = any_first || any_last ? 128 : 1;
    const auto begin = static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0));
    const auto end = static_cast<std::size_t>(std::min(offset + 4, width));
    for (std::size_t i = begin; i < end; ++i) {
      double chance = 0;
      for (const auto byte : bytes[i]) chance += chance_of(byte);
      cost *= chance * (i == begin ? 0.1 : pair_chance(bytes[i - 1], bytes[i]));
      bits *= static_cast<double>(bytes[i].size());
    }
    if (bits > most_bits) continue;
    for_each_window(word, offset, [&](std::uint32_t window) { cost += frequencies.listed(window); });
    if (cost >= least) continue;
    least = cost;
    best = static_cast<std::int8_t>(offset);
  }
  return best;
}

// Of the words that go by groups: which halves of a byte a group takes at each of their places.
struct Group {
  std::array<std::array<bool, 16>, Words::group_places.size()> low{}, high{};

  Group with(const Words::Word& word, std::size_t offset) const {
    Group all = *this;
    for (std::size_t k = 0; k < Words::group_places.size(); ++k) {
      const std::size_t place = offset + Words::group_places[k];
      for (unsigned c = 0; c < 256; ++c)
        if (place >= word.size() || word[place][c]) all.low[k][c & 15] = all.high[k][c >> 4] = true;
    }
    return all;
  }

  // How often it takes the bytes there.
  double chance() const {
    double all = 1;
    for (std::size_t k = 0; k < Words::group_places.size(); ++k) {
      double sum = 0;
      for (unsigned c = 0; c < 256; ++c)
        if (low[k][c & 15] && high[k][c >> 4])
          sum += c >= 'A' && c <= 'Z' ? 0.0035 : c == 0 ? 0.1 : c == '\n' ? 0.03 : chance_of(c);
      all *= std::min(sum, 1.0);
    }
    return all;
  }
};

// What is asked for wherever a group takes the bytes: each of its words.
double cost_of(const Group& group, std::size_t words) {
  return words == 0 ? 0 : group.chance() * static_cast<double>(words + 2);
}

// Each word goes, with its rarest bytes, to the group that it makes the least dear; the most common words first, so
// that they share with few. Then words change their groups as long as that makes all of them cheaper.
class Groups {
 public:
  Groups(const std::vector<Words::Word>& words, std::vector<Words::Choice>& choices)
      : words_(words), choices_(choices) {}

  void choose() {
    std::vector<std::pair<double, std::size_t>> left;
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if (choices_[w].group == Words::no_group) continue;
      double least = 1;
      for (std::size_t offset = 0; offset < last_offset(w); ++offset)
        least = std::min(least, Group{}.with(words_[w], offset).chance());
      left.emplace_back(-least, w);
    }
    std::stable_sort(left.begin(), left.end());
    for (const auto& one : left) place(one.second);
    constexpr int most_rounds = 8;
    for (int round = 0; round < most_rounds; ++round) {
      bool moved = false;
      for (const auto& one : left) moved = move(one.second) || moved;
      if (!moved) break;
    }
  }

 private:
  std::size_t last_offset(std::size_t w) const { return std::min<std::size_t>(words_[w].size(), 100); }

  Group made_of(const std::vector<std::size_t>& members) const {
    Group group;
    for (const auto w : members) group = group.with(words_[w], static_cast<std::size_t>(choices_[w].even));
    return group;
  }

  // Adds the word where that costs least, and says how much.
  double place(std::size_t w) {
    double least = 1e9;
    std::size_t to = 0, at = 0;
    for (std::size_t g = 0; g < members_.size(); ++g) {
      const Group group = made_of(members_[g]);
      const double had = cost_of(group, members_[g].size());
      for (std::size_t offset = 0; offset < last_offset(w); ++offset) {
        const double more = cost_of(group.with(words_[w], offset), members_[g].size() + 1) - had;
        if (more >= least) continue;
        least = more;
        to = g;
        at = offset;
      }
    }
    choices_[w].group = static_cast<std::uint8_t>(to);
    choices_[w].even = static_cast<std::int8_t>(at);
    members_[to].push_back(w);
    return least;
  }

  bool move(std::size_t w) {
    const Words::Choice had = choices_[w];
    auto& from = members_[had.group];
    const double all = cost_of(made_of(from), from.size());
    from.erase(std::find(from.begin(), from.end(), w));
    const double saved = all - cost_of(made_of(from), from.size());
    const double costs = place(w);
    return costs < saved * 0.999 && (choices_[w].group != had.group || choices_[w].even != had.even);
  }

  const std::vector<Words::Word>& words_;
  std::vector<Words::Choice>& choices_;
  std::array<std::vector<std::size_t>, Words::groups> members_;
};

}  // namespace

std::vector<std::uint32_t> folded(const ByteSet& set) {
  ByteSet all;
  for (std::size_t c = set._Find_first(); c < set.size(); c = set._Find_next(c)) all.set(c | 32);
  std::vector<std::uint32_t> bytes;
  for (std::size_t c = all._Find_first(); c < all.size(); c = all._Find_next(c))
    bytes.push_back(static_cast<std::uint32_t>(c));
  return bytes;
}

std::vector<Words::Choice> Words::choose(const std::vector<Word>& words) {
  const Frequencies frequencies;
  std::vector<Choice> choices;
  for (const auto& word : words) {
    Choice choice{best_of(word, 0, frequencies), best_of(word, 1, frequencies), no_group};
    if (choice.even == no_window || choice.odd == no_window) choice.group = 0;
    choices.push_back(choice);
  }
  Groups(words, choices).choose();
  return choices;
}

}  // namespace imgbuild
