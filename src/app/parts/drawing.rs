//! The one drawing: where the ticket is, and who can see it.

use leptos::prelude::*;

/// A counter; the page on one side, the server on the other, and the ticket in between.
#[component]
pub fn Drawing() -> impl IntoView {
    // Inside an element of the page the whole of it is one piece of static HTML; on its own each
    // line would be code in the download.
    view! {
        <figure>
        <svg class="drawing" viewBox="0 34 560 360" role="img" aria-label="A cloakroom counter. On the left, the page and its scripts face a folding screen. Behind the screen, the browser’s own hand passes a numbered ticket to the server on the right, where the coats hang. The scripts cannot see the ticket.">
        // the server: a rail of coats
        <path d="M400 38v22M540 38v22"/>
        <path class="rod" d="M384 62h170"/>
        <g transform="translate(426 0)">
        <path d="M0 88V76a6 6 0 1 0-6-6"/>
        <path class="wash" d="M-12 86q-21 3-26 22l-9 88 15 3 5-46-6 93h66l-6-93 5 46 15-3-9-88q-5-19-26-22L0 98z"/>
        <path d="M-12 86-17 112 0 146 17 112 12 86M0 146v100"/>
        <path class="ink" d="M8 170a2.5 2.5 0 1 1 0 .01zM8 200a2.5 2.5 0 1 1 0 .01z"/>
        </g>
        <g transform="translate(508 0)">
        <path d="M0 88V76a6 6 0 1 0-6-6"/>
        <path class="gold" d="M-12 86q-21 3-26 22l-9 88 15 3 5-46-6 93h66l-6-93 5 46 15-3-9-88q-5-19-26-22L0 98z"/>
        <path d="M-12 86-17 112 0 146 17 112 12 86M0 146v100"/>
        <path class="ink" d="M8 170a2.5 2.5 0 1 1 0 .01zM8 200a2.5 2.5 0 1 1 0 .01z"/>
        </g>
        <g transform="translate(467 0)">
        <path d="M0 88V76a6 6 0 1 0-6-6"/>
        <path class="sheet" d="M-12 86q-21 3-26 22l-9 88 15 3 5-46-6 93h66l-6-93 5 46 15-3-9-88q-5-19-26-22L0 98z"/>
        <path d="M-12 86-17 112 0 146 17 112 12 86M0 146v100"/>
        <path class="ink" d="M8 170a2.5 2.5 0 1 1 0 .01zM8 200a2.5 2.5 0 1 1 0 .01z"/>
        <path d="M-14 100v14"/><rect class="brass" x="-37" y="112" width="46" height="21" rx="4"/><text class="no" x="-14" y="127.5">"4827"</text>
        </g>
        // the browser's own hand: sleeve, cuff, fingers, ticket, thumb
        <path class="ink" d="M210 196h48v42h-48z"/>
        <rect class="sheet" x="256" y="192" width="12" height="50" rx="2"/>
        <path class="sheet" d="M268 198q22-8 34 0l22 4q8 2 6 9 6 3 3 9 4 5-1 10-1 7-9 7l-23 1q-18 4-32-2z"/>
        <path d="M303 211h26M304 221h28M303 231h26"/>
        <g transform="rotate(-10 338 196)">
        <path class="brass" d="M304 178h70a4 4 0 0 1 4 4v9a7 7 0 0 0 0 14v9a4 4 0 0 1-4 4h-70v-4a4 4 0 0 0 0-8v-4a4 4 0 0 0 0-8v-4a4 4 0 0 0 0-8z"/>
        <text class="no" x="349" y="203">"4827"</text>
        </g>
        <path class="sheet" d="M276 199q14-10 28-10l18-3q9-1 10 6 0 6-8 7l-16 3q-6 8-18 10"/>
        // the screen
        <path class="wash" d="M142 98l32-12v194h-32zM206 98l32-12v194h-32z"/>
        <path class="sheet" d="M174 86l32 12v182h-32z"/>
        <path class="thin" d="M150 108l16-6v162h-16zM182 102l16 6v156h-16zM214 108l16-6v162h-16z"/>
        // the page and its scripts
        <rect class="sheet" x="6" y="146" width="112" height="134" rx="8"/>
        <path d="M6 168h112"/>
        <path class="ink" d="M17 157a3 3 0 1 1 0 .01zM28 157a3 3 0 1 1 0 .01zM39 157a3 3 0 1 1 0 .01z"/>
        <path class="code" d="M40 188l-16 16 16 16M84 188l16 16-16 16M69 184l-14 40"/>
        <path class="thin" d="M24 244h56M24 259h34"/>
        <path class="sight" d="M122 204h17"/>
        // the counter
        <path class="wash" d="M14 292h532v40H14z"/>
        <path class="thin" d="M30 302h150v20H30zM205 302h150v20H205zM380 302h150v20H380z"/>
        <rect class="brass" x="1" y="279" width="558" height="14" rx="4"/>
        <text x="93" y="360">"The page"</text><text x="93" y="386">"and its scripts"</text>
        <text x="280" y="360">"The browser’s"</text><text x="280" y="386">"own hand"</text>
        <text x="467" y="360">"The server"</text><text x="467" y="386">"and its coats"</text>
        </svg></figure>
    }
}
