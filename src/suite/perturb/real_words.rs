//! Common words that one slip can make out of another: `living` → `loving`, `should` → `shold` but `could` → `cold`.
//!
//! Made by applying every slip of `typing` to the vocabulary of the shipped phrases and to common English words, and keeping
//! what a small English dictionary (Debian `wamerican-small`) also holds; a few more by hand.

use std::collections::HashSet;
use std::sync::LazyLock;

const REAL_WORDS: &str = "\
    ado ads again agility alas ale ales aline altar alter angels angles ant appals apples area arks ass \
    asset avid back bade bags bans barge barges barley bay bead beak beaks beat beet being bellow \
    bending bet bets bid biding big billing bleed bleeding blocs blood blow boas bob boded boding bog \
    bond bonding bonds booth both bother bounce bows boy brace braking bran brave bred breed breeding \
    bride bring broken broker brood brunt buffets bulls bums buried bury bus bush bushing busy buts buy \
    buys bye byes caching cad cage cake calked calking calks cam came canceled cane canvass cap car case \
    cased cash cashed casual cat cats causal chanted chanting chap charter chid chin chink chinks chose \
    cite clam clan clarity claws click cloths coat cock code cods coil coke cokes coking col cold \
    compete complied concert concerting cone cones congest conserve constrict constricted constriction \
    contest context converging cooing cool cooping copes copping core cores cot cots could counseling \
    county covert coveted coveting coy crate crated crating crave crested cresting crows cub cue cure \
    curse cutting dad dairy dare dares dead decease decide deciding decoded defect defected defied \
    defies deign deigned derailed derails devour dial did die dies digs dike dime dine diner dins dip \
    discus dive diver divest doe dome don dos dose dot dots downing drier drip dripped drive droning \
    droop drooped drop drove drunks dub dubs duding duff dumb dump dyeing dying edit eery encode encore \
    encored encoring ending endure ensue eternal ether evens exit exiting exits faction fade far farm \
    fat fats favorite fed fee fees fen fiend fiends filed filing fill filling filly fines fining fins \
    firm fist fizz flat flats flies flood focussed fold fond font food for fore form foxed foxes foxing \
    fried from full fulling fund funding funds fur gab gabbed gage gaged garb genetic genetics gent get \
    gibe gibes gibing god gods gold gong grade grater grave gravy grows guise guts gutting had hags hah \
    hale ham handing hanged hard hare haring harm hart hat hatting haying head hears heat heir her herd \
    hilling hire hiring hit hither hoe hoes hole holes hone honesty hood hope hopping hops horde horse \
    hose hot hue hug hunt hut huts identifies identify inane induces inert info ins instal into its jut \
    jute juts keeling keels keep kegs kid killing kiss knits lad lading lager lap lass last later latter \
    lay layer leafing leasing led lest let lewd lice lick licked licks lie lies life liked lime limes \
    lined linger list lit live lived lobe log lone loomed looming looms lop loser loses lost lot lots \
    love loved loving lump lust lusts lying lynch mace maker male males man manor mans march marched \
    marches marching mare marital martial mas mason match math mattes may meat men mere mes mess mien \
    milling mime mine minuet minuets mire mist moat mod modal mode mold moods more moss moth moths mould \
    move much muddle muss mussed mussing myself naive naked neatly needs neighbor nest net niche nine \
    nite nites noes non none noose nooses nose noses noting numb nurse odder one overrode owed pace \
    paces pads paging pain pan panned panning par parch parched pare pared pares paring pars parties pas \
    pat pate patent patents pates path pats patters patty pave paves paws payer pease peel peep petty \
    pie piked pile pill pilling pills pined pint pints pis pitting plan planed planing poet poets poll \
    polo pool pop pope posed pot pots pounce pray precious prey price pried pries profess proof provably \
    prude puck pucks pull pulps punned puree purse pus putting pyre qualify quiet quit quite quote rage \
    rages rags raked rally ran ransom raped rapes raping rare rave raving rays reamed rearing rears \
    recognize red reds regain relayed relies reorganizes reserve rest reused revere reverence reverences \
    reveres reverse rid rig rigs rile riles riot riots rod roofs roost rot rote rots rouge rouges \
    rouging routs rubs rue rues rums rung rungs ruse rut ruts sack sacks sacred sad safe sage sags sake \
    salt sand sane sap sapling sapping sat save sawn say scare scarred scars score sear secret secrete \
    seed seen seep seeping sell sending set sever sewing sewn shack shacks shade shaded shame shaming \
    shaping shied shift shifts ship shirt shoed shoes shoot short shorts shot shred shrunk sick sicks \
    sift sifting sighed sill simmer sin sine sing singe singed sings sins sip sipped sipping sir sire \
    site siting sixes skims skis skit slab sleep sleet slept slide slides slip slipped slipping slit \
    slitting slot slow sluts smack smacks snake snaking snapping snare snared snort snot snow snowed \
    snows sock soft solo son sons soot sop sopped sore sort sour sours sow sowed sown sows spade spades \
    span spas sped spice spices spies spike spilt spiralling spire spit spitting spokes sprig sprung \
    spun spurs stab staff stage stages stale stare stared stares staring starred starring stars starve \
    state stated states stating steam steaming steams steep stick stiff stifle sting stings stoop \
    stooped streaking streaks stressed strewed string strong strung stuff stuffed suck sue sung sunk sup \
    swat sweep swept tabs tack tacks tailing take taking tale tales tame tames taming tan tanked tanks \
    tans tars teaches teas teat teats tee teem teems ten test text texts thee there thing thins this \
    thong thongs though three thus thy tided tie tied ties tile tiled ting tinging tings tinny tip tired \
    titled toil toils toll tolls tome tomes top tops tough trade trading trail tread treads tree trial \
    trialing tried trip tripe trite troop trough trued truing tsars tuned tuning tying unbeatable united \
    untied uses veil vet vex vexes via vice vile visa vying wags waked waking walks walled walling wan \
    waned waning wanna want warm warming warp was wash wee weep weer wees were wet what while whole wide \
    widows wife wining wire wise wish wit with wive woe wok woks women won word wore worm worming worms \
    worse worst worth wot would wound wrier wring writs wrote yelped yelping";

/// Whether a slip that makes this word would be read as another word.
pub(super) fn is_real_word(word: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| REAL_WORDS.split(' ').collect());
    KNOWN.contains(word)
}
