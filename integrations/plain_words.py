"""Words that outside systems may say to a log, to Salesforce and to staff: of errors and machines, never of people.

WHMCS' documented error texts (whmcs-actions.json) are made of them, and what modules and providers usually say.
"""

PLAIN = frozenset(
    """
    a able about accept accepted accepts access account accounts action actions activate activated activating
    activation active add added adding addon address addresses adds admin administrator after again against all
    allow allowed allows already also alternative always amount an and announcement another answer answered answers
    any api apply approve approved are argument arguments array arrays as assigned assisted associated at attachment
    attachments attempt authenticate authentication authorized auto autosetup available back backend bad balance
    bank bankaccount be because been before begin being belong belongs between big billing blocked body both break
    broken busy but by call called calls can cancel canceled cancellation cancelled cancelling cancels cannot
    capacity card cards carrier cart case cases cause cent certificate change changed changes check checked city
    client clientid clients close closed closes code codes color column columns command commands complete completed
    concurrent concurrently configuration conflict connect connected connection connections constraint contact
    contacts contains content corrupted could count country create created creates creating creation credential
    credentials credit creditcard curl currency currently custom customer customers cycle data database date dates
    day days deactivate deactivated deactivation deadlock decimal defined defining definition delete deleted
    deleting denied deny department description destination details detected device devices did disable disabled
    disconnect disconnected dns do documentation does domain domains done down download draft due duplicate
    duplicates during each eid either email empty enable enabled end ended ends enter entered entity entry error
    errors esim events every everything exceeded exceeds exception exist existing exists expected expecting expire
    expired expires expiry extension external fail failed fails failure failures false fault faults few field fields
    find finds first firstname flow following for forbid forbidden foreign format formula found fraud free from full
    function functions further future gateway gateways generate get gets give given gives got grant greater group
    had has have header headers here hexadecimal high hold holder host hosting hostingaccount hosts hot hour hours
    how html http https i icann iccid id identifier idn ids if imei in inactive include incomplete index information
    instance internal into invalid inventory invoice invoices is issue it item itemamount itemdescription items
    itemtaxed its job jobs json just keep keeps kept key keys language large last lastname later least length less
    let like limit limited limits line lines list local lock locked log logged login long longer look lookups low
    made mail maintenance make makes malformed management manual manually many match matches matching maximum may me
    medium merge message messages method methods might minimum minute minutes missing mode modified module modules
    month months more most msisdn multiple must my name names need needs neither network never new next no non none
    nor not note notes nothing notice notification notifications now null number numbers oauth object objects
    occurred of off ok old on one onetime only open opened opens operation operations opportunity option options or
    order orders other our out over overloaded own owned owner paid panel parameter parameters parse parsing passed
    password path pay payment payments pending per period permanently permission permissions phone php picklist plan
    plans platform please pool port ports possible postcode present previous price pricebook prices pricing primary
    priorities priority problem proceed process processed processes processing product products profile profiles
    project provide provided provider provision provisioned provisioning published put quantity queries query queue
    queued quota quote rate read readonly reads reason receive received recommendation record records recurring ref
    reference refund refusal refuse refused refuses register registered registrar registrars registration reject
    rejected rejection rejects related remote remotecreditcard remove removed renew renewed replied reply request
    requested requests require required reselleraccount reset resets resolve resolved resource resources response
    responses rest restricted result results retry return returned rollback rolled route routing row rows rule run
    running runs said sale salesforce same say says scope second seconds secret see send sending sends sent
    separately server servers service services session sessions set sets setting setup several shall short should
    sign signature sim similar since single size slow small so soap socket some something soon specified specify sql
    ssl sso staff stage stale start started starts state states status statuses still stock stop stopped stops
    storage string subject subscription success successful successfully such supplier supply support supported
    suspend suspended suspension syntax system systems take taken takes task tasks tax tcp telephone tell template
    temporarily temporary terminate terminated termination text than that the their them then there these they thing
    this those three through ticket tickets time timed timeout timer times title tld tls to token tokenization
    tokens told too topup total transaction transactions transfer transferred trigger true truncated try two type
    types unable unauthorized unavailable undefined under unexpected unique unit unknown unlock unpaid unsuccessful
    unsupported unsuspend until up update updated updating upgrade upstream url us use used user users uses using
    valid validation value values variable variables version via violated violation wait warning was way ways we
    welcome were what when where which while whmcs who whois whole whose why will with within without word words
    worked worker working works would write writes written xml year years yes yet you your zero
    accountid billto close effective family iso keeping modstamp origin parent pricebook shipping standard submitted
    unitprice list sobject
    """.split()  # noqa: SIM905 - nobody can read it as a list
)
