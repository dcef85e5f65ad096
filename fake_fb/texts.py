"""The words the timelines are made of. ``{place}``, ``{friend}``, ``{dish}`` and ``{book}`` are filled in."""

PLACES = (
    "Alder Bridge", "Brook End", "Castle Hill", "Dunmore", "Eastwick", "Fern Valley", "Gull Bay",
    "Harrow Lake", "Inverlea", "Juniper Ridge", "Kingsford", "Larkfield", "Maple Cross", "North Pier",
    "Oakham", "Pine Hollow", "Quarry Park", "River Gate", "Stonebeck", "Thornbury", "Upper Mill",
    "Vale Green", "Westmere", "Yarrow Point",
)  # fmt: skip

DISHES = (
    "mushroom soup", "a lemon tart", "flatbread with herbs", "a slow tomato sauce", "rhubarb jam",
    "a potato gratin", "dumplings", "a plum cake", "rye bread", "a bean stew", "noodles with peanuts",
    "baked trout", "a spinach pie", "rice pudding", "apple crumble", "a lentil curry",
)  # fmt: skip

BOOKS = (
    "The Salt Road", "A Winter Atlas", "Letters from the Harbour", "The Quiet Orchard", "Northern Lines",
    "The Glass Ferry", "What the Tide Left", "An Hour Before Rain", "The Clockmaker's House",
    "Small Rivers", "The Long Field", "Maps of Home", "The Lantern Keeper", "Twelve Summers",
    "A Room in Lisbon", "The Weather Station",
)  # fmt: skip

POSTS = (
    "First morning run of the week along {place}. Cold, clear and completely quiet.",
    "Spent the afternoon in {place} with {friend}. We should do this more often.",
    "Tried to make {dish} today. Better than last time, and nothing left over.",
    "Finished {book} last night. The last chapter kept me up far too late.",
    "The train to {place} was an hour late, but the view from the window made up for it.",
    "Happy birthday to {friend}! I hope the year ahead is a good one.",
    "Does anyone know a good place for breakfast near {place}?",
    "The garden is finally waking up. The first tulips opened this morning.",
    "New bike tyres, full bottle, and off to {place} before the rain comes.",
    "{friend} taught me how to make {dish}. The secret is to take your time.",
    "Moved the desk to the window. I should have done that years ago.",
    "Found an old photo album from our trip to {place}. How young we all looked.",
    "Heavy rain all day, so it is tea, a blanket and {book}.",
    "Great concert in {place} last night. Thank you to everybody who came along.",
    "Our team finished the project on Friday. Proud of everyone who worked on it.",
    "Up before sunrise to see the mist over {place}. Worth every minute of lost sleep.",
    "If anyone is missing a grey cat near {place}, she is safe and asleep on our porch.",
    "Long call with {friend} today. Some friendships do not mind the distance.",
    "Baked {dish} for the neighbours. Two of them have already asked for the recipe.",
    "The library in {place} has reopened, and the reading room is beautiful.",
    "Started learning the guitar again after ten years. My fingers remember more than I do.",
    "Walked from {place} to the coast today. Twenty-two kilometres and one very good sandwich.",
    "Recommendations wanted: what should I read after {book}?",
    "The farmers' market in {place} is back. Strawberries, at last.",
    "Painted the kitchen this weekend. The colour is called morning fog, and it suits us.",
    "Lovely dinner with {friend} last night, and the best bread I have had all year.",
    "Took the early ferry and had the whole deck to myself.",
    "Planted three apple trees behind the house. See you in autumn, in a few years.",
    "Lost my way in {place} and found the nicest little bakery.",
    "One month without sugar in my coffee. I hardly notice it any more.",
    "The school in {place} is looking for volunteers on Saturdays. I signed up, who joins me?",
    "Watched the sunset from the roof with {friend}. No wind, not a cloud.",
    "Power was out for three hours, so we played cards by candlelight. A very good evening.",
    "Back home after two weeks in {place}. The suitcase can wait until tomorrow.",
    "My sister ran her first half marathon in {place} today. I could not be prouder.",
    "Fixed the old radio in the workshop. It only needed a new fuse and some patience.",
    "First snow on the hills above {place}. Winter boots by the door, ready to go.",
    "Reading {book} aloud to the children, one chapter every evening.",
    "A fox crossed the road right in front of me near {place}, and stopped to look.",
    "Thank you for all the kind messages this week. They meant a lot.",
    "Swapped seeds with {friend}. The balcony will be very full this summer.",
    "Dinner by the lake with {friend}: an open fire and {dish}. Everything tastes better outdoors.",
    "Took a day off for no reason at all. Highly recommended.",
    "Our choir sings in {place} on Sunday at five. Come and listen.",
    "The stars over {place} last night were unbelievable. We stayed out until two.",
    "Sorting out the bookshelf. {book} stays, of course.",
    "Helped {friend} move house today. Fourth floor, no lift, still friends.",
    "Small win of the day: the sourdough finally rose.",
)

CAPTIONS = {
    "dawn": (
        "First light over {place}",
        "Early start at {place}",
        "Morning mist near {place}",
        "Nobody else awake in {place} yet",
        "Sunrise on the way to {place}",
        "The hills of {place} before breakfast",
    ),
    "noon": (
        "Clear skies above {place}",
        "Summer noon in {place}",
        "Green all the way to {place}",
        "Picnic weather at {place}",
        "The long path down to {place}",
        "A perfect day for walking in {place}",
    ),
    "sunset": (
        "Sunset over {place}",
        "Golden hour near {place}",
        "Last warm evening in {place}",
        "The sky on fire above {place}",
        "Evening walk around {place}",
        "Waiting for the sun to go down at {place}",
    ),
    "dusk": (
        "Blue hour in {place}",
        "Moonrise over {place}",
        "The last bus home from {place}",
        "Quiet night at {place}",
        "After the rain in {place}",
        "When the lights go out in {place}",
    ),
}

# What a liked page is called after its place, and its category.
PAGES = (
    ("Bakery", "Bakery"),
    ("Books", "Bookstore"),
    ("Cinema", "Movie Theater"),
    ("Coffee Roasters", "Coffee Shop"),
    ("Cycling Club", "Sports Club"),
    ("Farmers' Market", "Farmers Market"),
    ("Film Festival", "Festival"),
    ("Garden Centre", "Garden Center"),
    ("Hiking Group", "Community Group"),
    ("History Museum", "History Museum"),
    ("Jazz Orchestra", "Musician/Band"),
    ("Music School", "Music Lessons & Instruction School"),
    ("Photo Walks", "Photographer"),
    ("Public Library", "Public & Government Service"),
    ("Rowing Club", "Sports Club"),
    ("Theatre", "Performance Art Theatre"),
    ("Times", "Newspaper"),
    ("Trail Runners", "Outdoor & Sporting Goods Company"),
)

EVENTS = (
    "Open Air Cinema in {place}",
    "{place} Half Marathon",
    "Reading Group: {book}",
    "Sunday Market in {place}",
    "An Evening of Chamber Music",
    "Cooking Together: {dish}",
    "Spring Clean-Up in {place}",
    "Board Games Night",
    "Photo Walk through {place}",
    "{friend}'s Birthday",
    "Bicycle Repair Workshop",
    "Star Gazing above {place}",
    "Summer Concert in {place}",
    "Seed Swap and Garden Talk",
    "Neighbours' Breakfast",
    "Book Launch: {book}",
    "Pottery for Beginners",
    "Charity Swim at {place}",
    "Choir Rehearsal, New Voices Welcome",
    "Farewell Dinner for {friend}",
)

VENUES = (
    "{place} Town Hall", "{place} Library", "{place} Community Centre", "{place} Park", "{place} Arts House",
    "The Old Station, {place}", "The Boathouse, {place}", "Market Square, {place}",
)  # fmt: skip

RSVPS = ("attending", "attending", "attending", "unsure", "declined")

# At least 60 first names: nobody has two friends of the same name.
FIRST_NAMES = (
    "Adam", "Aisha", "Alba", "Amir", "Anna", "Arjun", "Astrid", "Ben", "Bruno", "Carla", "Chen", "Clara",
    "Daniel", "Diego", "Dora", "Elena", "Elias", "Emeka", "Emma", "Farah", "Felix", "Fiona", "Grace",
    "Hana", "Hugo", "Ida", "Ines", "Ivan", "Jakub", "Jane", "Jonas", "Julia", "Kai", "Karin", "Kofi",
    "Lars", "Leila", "Leo", "Lina", "Lucas", "Mara", "Marek", "Maya", "Mei", "Milan", "Nadia", "Niko",
    "Nora", "Olga", "Omar", "Paula", "Petra", "Rafael", "Rosa", "Samir", "Sara", "Sofia", "Tariq",
    "Tessa", "Tomas", "Uma", "Vera", "Yara", "Zoe",
)  # fmt: skip

LAST_NAMES = (
    "Abara", "Almeida", "Andersen", "Baker", "Bauer", "Bianchi", "Castro", "Cohen", "Costa", "Dubois",
    "Evans", "Fischer", "Garcia", "Haddad", "Hansen", "Hoffmann", "Ito", "Ivanova", "Jensen", "Khan",
    "Kim", "Kowalski", "Lopez", "Martin", "Mensah", "Moreau", "Murphy", "Novak", "Okafor", "Patel",
    "Pereira", "Rossi", "Sato", "Silva", "Singh", "Svensson", "Tanaka", "Walker", "Wang", "Weber",
)  # fmt: skip

WORDS = {"place": PLACES, "friend": FIRST_NAMES, "dish": DISHES, "book": BOOKS}
